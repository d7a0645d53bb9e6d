"""What ingestion writes: shards, Examples, histories, dead letters and counts."""
