"""Feature frames to log-probabilities, and the checkpoint that keeps them."""
