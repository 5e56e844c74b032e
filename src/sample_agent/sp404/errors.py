"""What can go wrong with device files: one error for bad bytes, one for a value a field does not take."""

from __future__ import annotations


class FormatError(ValueError):
    """Bytes that are not what they should be: damaged, cut short, too long or made to do harm.

    kind: what was being read, as the unit names it ("PADCONF.BIN", "SMP", "PTN").
    offset: where in the file, in bytes, when one place is to blame.
    path: which file, when the reader of the bytes was told (`at`).
    """

    def __init__(self, kind: str, message: str, offset: int | None = None, path: str | None = None) -> None:
        super().__init__(kind, message, offset, path)
        self.kind = kind
        self.message = message
        self.offset = offset
        self.path = path

    def at(self, path: object) -> FormatError:
        """The same error, with the file it was found in."""
        return FormatError(self.kind, self.message, self.offset, str(path))

    def __str__(self) -> str:
        where = [self.kind] if self.path is None else [self.path, self.kind]
        if self.offset is not None:
            where.append(f"byte 0x{self.offset:04X}")
        return f"{', '.join(where)}: {self.message}"


class OutOfRangeError(ValueError):
    """A caller set `field` to a `value` the unit does not have; `allowed` says in words what it has."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(field, value, allowed)
        self.field = field
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.field} is {self.value!r}; allowed: {self.allowed}."
