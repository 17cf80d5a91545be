"""The processes that do the work: `io` makes renditions and sweeps (no torch), `gpu` runs the stylizer."""
