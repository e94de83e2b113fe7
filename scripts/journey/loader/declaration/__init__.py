"""What is declared: dbt's manifest, with each `external:` block checked once."""
