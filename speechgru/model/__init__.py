"""Feature frames to log-probabilities."""
