"""The embedded server: gRPC and REST over the pushed versions."""
