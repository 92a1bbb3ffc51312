"""The stages put together: a script to a plan, a plan to a film."""
