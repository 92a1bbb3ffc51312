"""Training: data, recipes and measures of the networks. Nothing but the command line imports it."""
