import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.sp404.names import SAMPLE_NAME_LIMIT, device_name, device_names

ACCEPTED = re.compile(r"[A-Za-z0-9_!&()+,.=@\[\]{} -]+")
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Kick 01", "Kick 01"),
        ("Rhodes F#m 92 BPM.wav", "Rhodes Fsm 92 BPM"),
        ("Pad C♯ minor", "Pad Cs minor"),
        ("Bass E♭", "Bass Eb"),
        ("Snare #1", "Snare 1"),
        ("Žluťoučký kůň", "Zlutoucky kun"),
        ("Çalg\u0131 \u2013 ölçü", "Calgi - olcu"),
        ("どらむ", "doramu"),
        ("Don\u2019t stop", "Dont stop"),
        ("a/b\\c:d*e?f", "a b c d e f"),
        ("[Loop] {A} (B)", "[Loop] {A} (B)"),
        ("  ..hidden. ", "hidden"),
        ("break.AIFF", "break"),
        ("break.v2", "break.v2"),
        ("con", "con_"),
        ("Aux.take", "Aux_.take"),
        ("LPT1.wav", "LPT1_"),
        ("Console", "Console"),
        ("", "Sample"),
        (" ... ", "Sample"),
        ("///", "Sample"),
        (".wav", "Sample"),
        ("a very long name that goes on", "a very long name that g"),
        ("a very long name that . end", "a very long name that"),
        ("drum-machine-patterns-028.wav", "drum-machine-patter-028"),
        ("A Very Long Sample Pack Kick 07", "A Very Long Sample P 07"),
        ("A Very Long Sample Pack 92bpm", "A Very Long Sampl 92bpm"),
    ],
)
def test_a_name_becomes_one_the_unit_accepts(text: str, name: str) -> None:
    assert device_name(text) == name


def test_equal_names_are_numbered_whatever_their_case() -> None:
    assert device_names(["Kick", "KICK", "kick.wav", "Kick 2"]) == ["Kick", "KICK 2", "kick 3", "Kick 2 2"]


def test_a_number_of_its_own_stays_beside_the_one_that_tells_equals_apart() -> None:
    assert device_names(["A very long kick sample name 44", "A very long kick sample name 44"]) == [
        "A very long kick sam 44",
        "A very long kick s 44 2",
    ]


def test_the_number_fits_within_the_limit() -> None:
    names = device_names(["x" * 40] * 12)
    assert names[0] == "x" * 23
    assert (names[1], names[11]) == ("x" * 21 + " 2", "x" * 20 + " 12")


def test_too_small_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        device_name("Kick", limit=7)


@given(st.lists(st.text(max_size=60), max_size=30), st.integers(8, 40))
def test_every_name_is_safe_short_and_the_only_one_of_its_kind(texts: list[str], limit: int) -> None:
    names = device_names(texts, limit=limit)
    assert len({name.lower() for name in names}) == len(texts)
    for name in names:
        assert ACCEPTED.fullmatch(name)
        assert len(name) <= limit
        assert name == name.strip(" .")
        assert not RESERVED.fullmatch(name)


def test_the_usual_limit_is_the_units() -> None:
    assert len(device_name("x" * 100)) == SAMPLE_NAME_LIMIT == 23
