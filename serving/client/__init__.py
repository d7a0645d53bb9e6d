"""A gRPC client of TensorFlow Serving's API, blocking and asyncio."""
