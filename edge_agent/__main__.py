"""`python -m edge_agent`."""

import sys

from edge_agent import cli

__all__ = ["main"]


def main() -> None:
    """Entry of the console program `hall-agent`."""
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
