"""A run as it goes on: what its folder says, read only."""
