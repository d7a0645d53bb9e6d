"""The two-tower retrieval model, from its loss to its SavedModels, and its tuning."""
