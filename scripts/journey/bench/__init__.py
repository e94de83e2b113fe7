"""Measurements: `make bench-load`."""
