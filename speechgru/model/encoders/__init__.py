"""One module and one YAML per encoder."""
