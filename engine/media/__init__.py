"""Files and sound on the way to the models: decoding, speech detection, log-mel pictures."""
