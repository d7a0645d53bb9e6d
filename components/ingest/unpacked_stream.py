"""A packed file as a stream that notices where it was cut short."""

from collections.abc import Callable
from io import BufferedIOBase, RawIOBase
from typing import Any

# Text packs to a tenth or so: what is unpacked at a time stays small.
_PACKED_BYTES = 1 << 16


class UnpackedStream(RawIOBase):
    """Unpacks the frames of `packed` one after the other; to be read through a BufferedReader.

    `frame` makes what unpacks one of them: an object with `decompress`, `eof` and `unused_data`, as
    zstandard, bz2 and lzma have it. Raises EOFError where the last frame has no end, and what the
    library raises where a frame is broken; EOFError for OSError, which a file system raises too.
    """

    def __init__(self, packed: BufferedIOBase, frame: Callable[[], Any]) -> None:
        super().__init__()
        self._packed = packed
        self._new_frame = frame
        self._frame = frame()
        self._is_inside = False
        self._rest = b""  # packed bytes behind the end of a frame
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills some of `buffer`; 0 at the end."""
        while not self._ready:
            piece = self._rest or self._packed.read(_PACKED_BYTES)
            if not piece:
                self._expect_no_open_frame()
                return 0
            self._ready = memoryview(self._unpack(piece))
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)

    def _unpack(self, piece: bytes) -> bytes:
        try:
            unpacked = self._frame.decompress(piece)
        except OSError as error:  # bz2's word for broken data
            raise EOFError(f"the packed stream is broken: {error}") from error
        self._is_inside, self._rest = True, b""
        if self._frame.eof:
            self._is_inside, self._rest = False, self._frame.unused_data
            self._frame = self._new_frame()
        return unpacked

    def _expect_no_open_frame(self) -> None:
        if self._is_inside:
            raise EOFError("the packed stream was cut short")
