"""The Transformers in PyTorch. In: configs and tensors. Out: modules whose cache is explicit."""
