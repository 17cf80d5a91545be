"""Making the packaged weights: synthetic pairs, losses, the loop and its checkpoints."""
