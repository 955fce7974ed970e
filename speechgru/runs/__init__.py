"""What the folder of a run tells the commands that come after training."""
