"""After training: index, one-call recommender, server and client. Imports `schema` alone of our
own.
"""
