"""Proofs: every recipe on one scan, small, to choose by before anything is ordered."""
