"""Simulated devices, gateways and people: the same wires as the real ones."""
