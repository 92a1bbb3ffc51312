"""One module per command, named like it; each holds the function that `cli.app` registers."""
