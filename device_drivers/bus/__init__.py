"""The wires of a hall: one bus per address, which owns the link and all timing on it."""

from device_drivers.bus.address import Address, parse_address
from device_drivers.bus.link import Link
from device_drivers.bus.neighbours import Neighbour, Neighbours
from device_drivers.bus.pool import BusPool
from device_drivers.bus.port import Port
from device_drivers.bus.screens import Beat, NamedScreen, NamedScreens
from device_drivers.bus.shared import Turn
from device_drivers.bus.turns import Urgency
from device_drivers.bus.wire import NoAnswer

__all__ = [
    "Address",
    "Beat",
    "BusPool",
    "Link",
    "NamedScreen",
    "NamedScreens",
    "Neighbour",
    "Neighbours",
    "NoAnswer",
    "Port",
    "Turn",
    "Urgency",
    "parse_address",
]
