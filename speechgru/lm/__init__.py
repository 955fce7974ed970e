"""Language models: how probable a text is, whatever was heard."""
