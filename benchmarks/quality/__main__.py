"""`python -m benchmarks.quality`: see `benchmarks.quality.run`."""

from benchmarks.quality.run import main

main()
