"""`moee check`."""

EXAMPLES = ""


def check() -> None:
    """X."""
