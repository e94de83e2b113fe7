"""Tests of what runs on Apache Spark."""
