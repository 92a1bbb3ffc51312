"""The embedded engine: face motion on the CPU, drawn by moving the user's own photo."""
