"""What a checkpoint is worth, and what weights suit it."""
