"""What each `tandem` command does, without its arguments and without its output format."""
