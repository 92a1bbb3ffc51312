"""Engines: one folder each; what they share is in `base`, how they are found in `registry`."""
