"""Training of the models that Pollux makes itself."""
