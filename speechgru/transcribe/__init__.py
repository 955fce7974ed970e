"""A checkpoint and audio to text."""
