"""Pages for administrators and citizens."""
