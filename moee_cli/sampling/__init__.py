"""Samplers and chunk arithmetic over plain arrays; knows callables, never engines, files or emotions."""
