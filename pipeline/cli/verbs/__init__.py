"""One module per verb of the command line.

Each has `SUMMARY` (one line for `tandem --help`), `configure(parser)` and `run(args) -> int` (the
exit code). Modules import at the top only what costs nothing; TensorFlow, TFX and Beam are imported
inside `run`.
"""
