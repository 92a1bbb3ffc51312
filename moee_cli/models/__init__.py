"""Networks: each file one idea. They take tensors, never text, paths or portraits."""
