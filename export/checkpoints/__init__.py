"""Readers of model files made by others. In: a file or a folder. Out: config, tensors, tokenizer files."""
