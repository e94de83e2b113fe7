"""data-journey: lands files in S3, loads them into PostgreSQL, and publishes what dbt builds from them."""
