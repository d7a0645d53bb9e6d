"""What TensorFlow Serving publishes: errors, request limits, tensors, JSON and input defaults."""
