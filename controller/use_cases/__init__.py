"""What the controller does, as plain functions and small classes over ports."""
