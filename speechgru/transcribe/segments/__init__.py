"""Long recordings, cut at silences: voice activity, cutting, hearing, joining."""
