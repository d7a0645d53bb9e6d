"""Memory that is free within the process, given back to the operating system."""

import ctypes


def give_back() -> None:
    """Does nothing where the C library has no `malloc_trim`; glibc has.

    Its allocator keeps what is freed. Calls of ever other sizes leave holes of ever other sizes, so
    that a server holds more and more although it uses no more.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
