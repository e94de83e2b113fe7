"""The loader's fixtures: an empty bucket, an empty database."""

from __future__ import annotations

from loader.conftest import bucket, database, landing, loader_bucket, loader_database

__all__ = ["bucket", "database", "landing", "loader_bucket", "loader_database"]
