"""Records -> typed fields, and the reasons for rejected values."""
