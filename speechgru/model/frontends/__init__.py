"""One module and one YAML per way to shorten the sequence in front of the encoder."""
