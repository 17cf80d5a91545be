"""The demonstration archive: what a new installation shows in its first minute. No app, no tables of its own."""
