"""From options to a trained model: tasks, losses, optimisers, callbacks, the run."""
