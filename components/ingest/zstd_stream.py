"""A Zstandard file as a stream that notices where it was cut short."""

from io import BufferedIOBase, RawIOBase
from typing import Any

import zstandard

# Of packed bytes: text packs to a tenth or so, so that what is unpacked at a time stays small.
_PACKED_BYTES = 1 << 16


class ZstdStream(RawIOBase):
    """Unpacks the frames of `packed` one after the other; to be read through a BufferedReader.

    Raises EOFError where the last frame has no end, which zstandard's own reader takes for the end
    of the file, and zstandard.ZstdError where a frame is broken.
    """

    def __init__(self, packed: BufferedIOBase) -> None:
        super().__init__()
        self._packed = packed
        self._frame = zstandard.ZstdDecompressor().decompressobj()
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
        unpacked = self._frame.decompress(piece)
        self._is_inside, self._rest = True, b""
        if self._frame.eof:
            self._is_inside, self._rest = False, self._frame.unused_data
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        return unpacked

    def _expect_no_open_frame(self) -> None:
        if self._is_inside:
            raise EOFError("the Zstandard stream was cut short")
