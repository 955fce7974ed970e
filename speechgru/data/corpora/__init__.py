"""One module and one YAML per corpus."""
