"""Icons, translations, the model catalogue, samples and licences that ship with Pollux."""
