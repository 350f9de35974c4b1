"""The command line, one module for each group of commands. ``engine.__main__`` is the way in."""
