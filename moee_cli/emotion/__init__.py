"""From the emotions of a script to weights for every motion frame."""
