"""Corpora, manifests and batches: from files on disk to padded waveforms."""
