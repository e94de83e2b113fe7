"""JSON: a stream cut into records, records read exactly one by one, and records of one shape read all at once."""
