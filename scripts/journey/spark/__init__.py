"""The same project on Apache Spark: a cluster on this machine, raw tables over the same files, and the comparison."""
