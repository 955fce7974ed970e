"""Log-probabilities to hypotheses with words and tokens in time."""
