"""Runs model packs. The facade `Pollux` is added with the runtime."""
