"""Training code that both models share: devices, batches, callbacks and checkpoints."""
