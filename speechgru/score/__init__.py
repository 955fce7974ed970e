"""Hypotheses and references to error rates and their uncertainty."""
