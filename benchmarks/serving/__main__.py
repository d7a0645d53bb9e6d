"""`python -m benchmarks.serving`: see `benchmarks.serving.run`."""

from benchmarks.serving.run import main

main()
