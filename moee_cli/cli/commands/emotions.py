"""`moee emotions`: the names, and the mix behind each."""

EXAMPLES = ""


def emotions() -> None:
    """X."""
