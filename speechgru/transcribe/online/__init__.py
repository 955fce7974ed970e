"""Transcribing while somebody speaks: chunk by chunk, with endpoints."""
