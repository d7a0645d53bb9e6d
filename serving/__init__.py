"""Everything after training: index, servables, server and client. Of this project's packages it
imports only `schema`.
"""
