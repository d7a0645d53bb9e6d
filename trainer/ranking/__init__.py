"""The ranking model, from its examples to its SavedModel and the order that is served."""
