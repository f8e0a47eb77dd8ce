"""One seed, one history: the product's real classes on a simulated network, disk and clock."""
