"""moee: talking, emotional video from a portrait, recorded lines and a text file."""

__version__ = "0.1.0"
