"""The script: one YAML file read, checked, and placed on the clock."""
