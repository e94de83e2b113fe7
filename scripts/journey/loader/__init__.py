"""The loader: files from S3 into PostgreSQL's raw schemas, exactly once. docs/loader.md says what it promises."""

import os

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow keeps 30 MB less than with its other allocators
