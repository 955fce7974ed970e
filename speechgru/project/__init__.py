"""A project of the user's own: recordings divided, a corpus, a recipe, a script."""
