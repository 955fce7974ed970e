"""What is read as it is, in place: one module and one YAML per kind of source."""
