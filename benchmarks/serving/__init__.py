"""The server under load, beside a hand-written one."""
