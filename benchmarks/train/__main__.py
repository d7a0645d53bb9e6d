"""`python -m benchmarks.train`: see `benchmarks.train.run`."""

from benchmarks.train.run import main

main()
