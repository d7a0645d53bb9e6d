"""Speed of training beside stock TFRS."""
