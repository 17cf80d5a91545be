"""Trials: people judge two recipes scan by scan without being told which is which."""
