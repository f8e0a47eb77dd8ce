"""Who can reach an address."""

import ipaddress

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """True for names and addresses that only this machine reaches."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
