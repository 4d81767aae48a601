"""Run the command as `python -m search`."""

from search.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
