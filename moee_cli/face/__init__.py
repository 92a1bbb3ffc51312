"""From a portrait file to moving pictures of it: reading, landmarks, framing, and the renderer of face motion."""
