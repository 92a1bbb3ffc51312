"""Types, clock, names and errors that every other package builds on; knows nothing else of `moee_cli`, no torch."""
