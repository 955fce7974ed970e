"""What commands can be told: one frozen dataclass per command and group."""
