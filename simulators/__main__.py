"""`hall-sim` on the command line."""

from simulators.cli import app

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
