"""`./dev bench`: measures the targets of the architecture, each against a baseline of the same run."""
