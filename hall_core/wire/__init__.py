"""What hall and controller say to each other: topics, envelopes, numbered streams."""
