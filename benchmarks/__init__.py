"""One script per claim. `make bench` runs them all; each can be run by itself: `python -m benchmarks.ingest_small`."""
