"""Corpora as tar files of many utterances each: written, and read in their order."""
