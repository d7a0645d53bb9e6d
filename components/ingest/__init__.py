"""Ingestion: raw tables in, timelines, histories and a catalogue out. Beam and Arrow, no TFX.

    files -> blocks -> records (delimited | json_lines | sequences) -> fields -> tables -> shards
    files -> parquet_rows -> fields -> tables -> shards
    shards -> ordering (events, event_rules) -> clock -> splits -> timelines -> examples, histories
    shards -> latest -> examples      (items; users join their timelines)

What is not accepted goes to `dead_letters`; `counts` proves that nothing was lost.
"""
