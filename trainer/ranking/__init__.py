"""The ranking model, from its examples to its SavedModel and the serving order."""
