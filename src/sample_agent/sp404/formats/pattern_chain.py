"""`PATTERNCHAIN_00.CHN`: which patterns follow each other, as XML.

No file written by a unit was at hand: the elements are those of published notes. So a file that was read is written
again as it was unless something in it is changed, and elements not known are passed over. Files are small, and any
declaration of a document type is refused, so no entity is ever expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from xml.parsers import expat

from sample_agent.sp404.errors import FormatError, OutOfRangeError

FILE_NAME = "PATTERNCHAIN_00.CHN"
MAX_FILE_BYTES = 1 << 18

_KIND = "CHN"
_ROOT = "ROLAND_SP404MKII_PATTERN_CHAIN"
_MAX_DEPTH = 16


@dataclass(frozen=True)
class PatternChain:
    """Patterns that play one after another.

    patterns: their numbers in order. current: where the chain stands. repeat: "All" or another word of the unit.
    source: the file this was read from; written again as long as it says the same.
    """

    patterns: tuple[int, ...] = ()
    repeat: str = "All"
    current: int = 0
    source: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, content: bytes) -> PatternChain:
        """The file's content; raises `FormatError` unless it is a pattern chain in plain XML."""
        source = bytes(content)
        found = _parse(source)
        return cls(tuple(found.patterns), found.repeat, found.current, source)

    def to_bytes(self) -> bytes:
        """The file's content; for what was read, the very bytes.

        Raises `OutOfRangeError` when `repeat` is not printable ASCII.
        """
        if self.source and self._says_the_same(self.source):
            return self.source
        lines = [f'<REPEAT VALUE="{_attribute(self.repeat)}"/>', f'<CURRENT VALUE="{self.current}"/>']
        lines += [f'<PTN NUMBER="{number}"/>' for number in self.patterns]
        return f"<{_ROOT}>{''.join(lines)}</{_ROOT}>".encode()

    def _says_the_same(self, source: bytes) -> bool:
        found = _parse(source)
        return (tuple(found.patterns), found.repeat, found.current) == (self.patterns, self.repeat, self.current)


@dataclass
class _Found:
    patterns: list[int] = field(default_factory=list)
    repeat: str = "All"
    current: int = 0
    depth: int = 0


def _parse(content: bytes) -> _Found:
    if len(content) > MAX_FILE_BYTES:
        raise FormatError(_KIND, f"{len(content):,} bytes are more than any chain has ({MAX_FILE_BYTES:,})")
    found = _Found()
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        found.depth += 1
        if found.depth == 1 and name != _ROOT:
            raise FormatError(_KIND, f"it is a {name[:40]!r}, not a pattern chain", parser.CurrentByteIndex)
        if found.depth > _MAX_DEPTH:
            raise FormatError(_KIND, "its elements are nested too deep", parser.CurrentByteIndex)
        if found.depth != 2:
            return
        if name == "REPEAT":
            found.repeat = attributes.get("VALUE", found.repeat)
        elif name == "CURRENT":
            found.current = _number(attributes, "VALUE", parser.CurrentByteIndex)
        elif name == "PTN":
            found.patterns.append(_number(attributes, "NUMBER", parser.CurrentByteIndex))

    def end(_name: str) -> None:
        found.depth -= 1

    def declaration(*_: object) -> None:
        raise FormatError(_KIND, "it declares a document type, which no chain has", parser.CurrentByteIndex)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = declaration
    with _as_format_errors(parser):
        parser.Parse(content.rstrip(b"\0"), True)
    return found


@contextmanager
def _as_format_errors(parser: expat.XMLParserType) -> Iterator[None]:
    try:
        yield
    except expat.ExpatError as error:
        raise FormatError(
            _KIND, f"it is not XML: {expat.ErrorString(error.code)}", max(parser.ErrorByteIndex, 0)
        ) from error
    except FormatError:
        raise
    except (LookupError, ValueError) as error:  # an encoding Python does not have, or not for XML
        raise FormatError(_KIND, "it is in an unknown encoding", 0) from error


def _number(attributes: dict[str, str], name: str, offset: int) -> int:
    text = attributes.get(name, "").strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 9):
        raise FormatError(_KIND, f"{name} is {text[:40]!r}, not a number", offset)
    return int(text)


def _attribute(text: str) -> str:
    if not (text.isprintable() and text.isascii()):
        raise OutOfRangeError("repeat", text, "printable ASCII")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
