"""What both models train with: devices, batches, callbacks and checkpoints."""
