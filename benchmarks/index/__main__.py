"""`python -m benchmarks.index`: see `benchmarks.index.run`."""

from benchmarks.index.run import main

main()
