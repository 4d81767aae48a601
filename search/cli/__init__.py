"""The command `kindred`: one file a subcommand; each parses, calls one job, and prints."""

from search.cli.main import main

__all__ = ["main"]
