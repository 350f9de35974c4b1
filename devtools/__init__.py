"""What `dev.py` does: environments, system libraries, checks, the frozen app. Python's own library only."""
