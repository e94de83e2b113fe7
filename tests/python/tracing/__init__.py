"""Tests of `journey why`."""
