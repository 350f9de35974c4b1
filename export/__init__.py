"""Makes model packs: PyTorch modules, checkpoint readers, ONNX export, quantisation, checks."""
