"""Transcripts to token ids and back; owns the blank, token 0."""
