"""The loader: files from S3 into PostgreSQL's raw schemas, exactly once. docs/loader.md says what it promises."""

from __future__ import annotations

from journey.loader.run import Summary, TableSummary, load, status

__all__ = ["Summary", "TableSummary", "load", "status"]
