"""`python -m journey` is the `journey` command."""

from journey.cli import main

if __name__ == "__main__":
    main()
