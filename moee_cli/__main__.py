"""`python -m moee_cli` is `moee`."""

from moee_cli.cli.app import main

if __name__ == "__main__":
    main()
