"""The command line: parses, calls `workflow`, shows what comes back. Nothing below imports this package."""
