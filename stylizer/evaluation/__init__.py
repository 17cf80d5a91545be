"""Measuring a restoration: frozen pairs, metrics, the classical baselines and the report."""
