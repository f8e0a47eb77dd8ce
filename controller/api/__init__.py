"""HTTP in: one router per noun, no SQL."""
