"""When a hall is open, and which business day it is."""
