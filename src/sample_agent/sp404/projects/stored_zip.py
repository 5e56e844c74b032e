"""A ZIP archive written piece by piece, without compression, the same bytes for the same content.

Every entry's size and checksum are known before its data, so readers of every age can unpack it as a stream.
Layout: PKWARE, ".ZIP File Format Specification" 6.3.10, sections 4.3 and 4.5.3 (ZIP64).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_ZIP64_END = struct.Struct("<4sQHHIIQQQQ")
_ZIP64_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")

_VERSION, _VERSION_ZIP64 = 20, 45
_STORED = 0
_UTF8_NAME = 0x0800
# 1980-01-01 00:00:00, where the calendar of ZIP begins: an archive does not say when it was made.
_TIME, _DATE = 0, 0x21
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF


@dataclass
class StoredZip:
    """The running state of one archive: call `entry`, send its data, repeat, then `end`.

    `offset` is the number of bytes of the archive so far.
    """

    offset: int = 0
    _directory: list[bytes] = field(default_factory=list)

    def entry(self, name: str, size: int, crc32: int) -> bytes:
        """The header of the next file, after which exactly `size` bytes with this checksum have to follow.

        Raises ValueError for a file over 4 GiB or a name that would be unpacked outside its folder.
        """
        encoded = name.encode()
        if not 0 <= size < _MAX_32 or not 0 <= crc32 <= _MAX_32 or len(encoded) > _MAX_16:
            raise ValueError("This entry does not fit into a ZIP archive.")
        if "\\" in name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError(f"Not a path inside an archive: {name!r}")
        flags = 0 if name.isascii() else _UTF8_NAME
        described = (flags, _STORED, _TIME, _DATE, crc32, size, size, len(encoded))
        header = _LOCAL.pack(b"PK\x03\x04", _VERSION, *described, 0) + encoded
        self._directory.append(self._central(described, encoded))
        self.offset += len(header) + size
        return header

    def end(self) -> bytes:
        """The directory that closes the archive."""
        directory = b"".join(self._directory)
        count, size, start = len(self._directory), len(directory), self.offset
        tail = b""
        if count >= _MAX_16 or size >= _MAX_32 or start >= _MAX_32:
            versions = (_VERSION_ZIP64, _VERSION_ZIP64)
            tail = _ZIP64_END.pack(b"PK\x06\x06", 44, *versions, 0, 0, count, count, size, start)
            tail += _ZIP64_LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
        short = (min(count, _MAX_16), min(count, _MAX_16), min(size, _MAX_32), min(start, _MAX_32))
        tail += _END.pack(b"PK\x05\x06", 0, 0, *short, 0)
        self.offset += size + len(tail)
        return directory + tail

    def _central(self, described: tuple[int, ...], encoded: bytes) -> bytes:
        far = self.offset >= _MAX_32
        extra = struct.pack("<HHQ", 1, 8, self.offset) if far else b""
        version = _VERSION_ZIP64 if far else _VERSION
        # Made on DOS with no attributes: nothing of the machine that wrote it.
        places = (len(extra), 0, 0, 0, 0, min(self.offset, _MAX_32))
        return _CENTRAL.pack(b"PK\x01\x02", version, version, *described, *places) + encoded + extra
