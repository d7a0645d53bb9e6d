"""gRPC clients of TensorFlow Serving's API: blocking, and for asyncio."""
