"""What is true in every hall: decisions without I/O, without a clock, without logging."""
