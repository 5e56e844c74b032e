from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.pattern_chain import PatternChain
from tests.damage import damaged

EXAMPLE = (
    b'<?xml version="1.0" encoding="utf-8"?>\r\n<ROLAND_SP404MKII_PATTERN_CHAIN>\r\n\t<REPEAT VALUE="All"/>\r\n'
    b'\t<CURRENT VALUE="2"/>\r\n\t<PTN NUMBER="1"/>\r\n\t<PTN NUMBER="160"></PTN>\r\n\t<PTN NUMBER="1"/>\r\n'
    b"</ROLAND_SP404MKII_PATTERN_CHAIN>\r\n"
)


def chain(inside: str) -> bytes:
    return f"<ROLAND_SP404MKII_PATTERN_CHAIN>{inside}</ROLAND_SP404MKII_PATTERN_CHAIN>".encode()


def test_a_chain_is_read_and_written_again_with_every_space_it_has() -> None:
    read = PatternChain.read(EXAMPLE)
    assert (read.patterns, read.repeat, read.current) == ((1, 160, 1), "All", 2)
    assert read.to_bytes() == EXAMPLE


def test_a_chain_that_is_changed_is_written_anew() -> None:
    changed = replace(PatternChain.read(EXAMPLE), patterns=(3, 4))
    assert changed.to_bytes() == chain('<REPEAT VALUE="All"/><CURRENT VALUE="2"/><PTN NUMBER="3"/><PTN NUMBER="4"/>')


@pytest.mark.parametrize(
    "content",
    [
        chain(""),
        chain('<NEW VALUE="1"><PTN NUMBER="x"/></NEW><PTN NUMBER="7" COLOUR="red"/>'),
        chain('<PTN NUMBER=" -1 "/>'),
        chain("text <!-- and a remark -->"),
        EXAMPLE + b"\0\0\0",
        b"\xef\xbb\xbf" + EXAMPLE,
        EXAMPLE.decode().replace('"utf-8"', '"utf-16"').encode("utf-16"),
        EXAMPLE.replace(b'"utf-8"', b'"iso-8859-1"').replace(b"All", b"\xe9"),
    ],
    ids=["empty", "more elements", "negative", "text", "filled up", "byte order mark", "utf-16", "latin-1"],
)
def test_an_unusual_chain_is_kept_as_it_is(content: bytes) -> None:
    assert PatternChain.read(content).to_bytes() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not XML"),
        (b"RFPD", "not XML"),
        (EXAMPLE[:-5], "not XML"),
        (EXAMPLE + EXAMPLE, "not XML"),
        (b"<svg/>", "'svg', not a pattern chain"),
        (chain("<PTN/>"), "NUMBER is '', not a number"),
        (chain('<PTN NUMBER="one"/>'), "'one', not a number"),
        (chain('<PTN NUMBER="1e9"/>'), "not a number"),
        (chain('<PTN NUMBER="²"/>'), "not a number"),
        (chain(f'<PTN NUMBER="{"9" * 5_000}"/>'), "not a number"),
        (chain('<CURRENT VALUE="?"/>'), "VALUE is '\\?'"),
        (chain("<A>" * 20 + "</A>" * 20), "too deep"),
        (b"<a>" * 80_000, "not a pattern chain"),
        (chain(" " * 300_000), "more than any chain"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (EXAMPLE.replace(b'"utf-8"', b'"rot13"'), "encoding"),
        (EXAMPLE.replace(b'"utf-8"', b'"idna"'), "encoding"),
        (EXAMPLE.replace(b'"utf-8"', b'"no such"'), "not XML"),
    ],
)
def test_a_chain_that_is_none_is_refused_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        PatternChain.read(content)


def test_a_file_that_would_grow_without_end_is_refused_at_its_first_declaration() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE c [<!ENTITY a0 "ha">{entities}]>'.encode() + chain('<REPEAT VALUE="&a11;"/>')
    with pytest.raises(FormatError, match="declares a document type"):
        PatternChain.read(bomb)


@given(
    patterns=st.lists(st.integers(1, 160), max_size=64).map(tuple),
    repeat=st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    current=st.integers(-1, 999),
)
def test_a_chain_made_in_code_is_read_back_equal(patterns: tuple[int, ...], repeat: str, current: int) -> None:
    made = PatternChain(patterns, repeat, current)
    read = PatternChain.read(made.to_bytes())
    assert (read.patterns, read.repeat, read.current) == (patterns, repeat, current)
    assert read.to_bytes() == made.to_bytes()


def test_a_text_the_unit_cannot_have_is_not_written() -> None:
    with pytest.raises(OutOfRangeError, match="repeat"):
        PatternChain(repeat="\0").to_bytes()


@given(content=st.one_of(st.binary(max_size=100), damaged(EXAMPLE)))
def test_a_damaged_chain_is_read_as_it_is_or_refused(content: bytes) -> None:
    try:
        read = PatternChain.read(content)
    except FormatError:
        return
    assert read.to_bytes() == content
