"""Files that hold a model and say what it is."""
