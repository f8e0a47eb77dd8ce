"""Looks at the box and its wires, and says what is wrong and what to do. Never loaded by `hall-agent run`."""
