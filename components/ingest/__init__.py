"""Ingestion: raw tables in, timelines, histories and a catalogue out. Beam and Arrow, no TFX.

    read      files -> blocks or row groups -> records (delimited, json_lines, sequences, parquet)
    fields    records -> typed fields -> accepted records and dead letters
    output    shards, Examples, histories, dead letters, counts
    events    shards -> ordered events, by the rules -> splits -> timelines

`interactions` and `items` put these into Beam pipelines, `refresh` reads new files without one.
What is not accepted goes to `output.dead_letters`; `output.counts` proves that nothing was lost.
"""
