"""Is a corpus fit to train on: one module a kind of problem."""
