"""Training: the model, its loss, its schedule and its callbacks."""
