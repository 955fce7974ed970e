"""What to train a corpus with, by what was measured on others."""
