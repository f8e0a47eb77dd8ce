"""`python -m edge_agent`."""

from edge_agent.cli import app

__all__ = ["main"]


def main() -> None:
    """Entry of the console program `hall-agent`."""
    app()


if __name__ == "__main__":
    main()
