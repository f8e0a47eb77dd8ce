"""HTTP out: who carries notices to citizens."""
