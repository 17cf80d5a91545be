"""What an operator meets: bringing the archive up, its health, its figures, its self-checks."""
