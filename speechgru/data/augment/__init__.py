"""Waveform augmentation, for training only."""
