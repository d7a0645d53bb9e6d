"""Ingestion: raw tables -> timelines, histories and a catalogue, with Beam and Arrow, without TFX.

    read      files -> blocks or row groups -> records (delimited, objects, sequences, parquet)
    fields    records -> typed fields -> accepted records and dead letters
    output    shards, Examples, histories, dead letters, counts
    events    shards -> ordered events, filtered by the rules -> splits -> timelines

`interactions` and `items` combine these into Beam pipelines; `refresh` reads new files without
Beam. Rejected records go to `output.dead_letters`; `output.counts` accounts for every record.
"""
