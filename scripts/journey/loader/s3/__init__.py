"""Objects in S3: listed, fetched with resume, checked, decompressed by content, read ahead, in constant memory."""
