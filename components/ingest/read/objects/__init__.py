"""Text of objects, JSON or Python: where each begins and ends, and its columns."""
