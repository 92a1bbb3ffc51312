"""Where files live and how they are written: folders of the system, temporary-name-then-rename."""
