"""TensorFlow Serving's protocol: errors, request limits, tensors, JSON and input defaults."""
