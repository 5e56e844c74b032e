"""What the search understands."""

import pytest

from sample_agent.library.keys import CAMELOT, KEYS, compatible_keys
from sample_agent.library.search import search_text


def test_every_key_has_its_own_camelot_code() -> None:
    assert sorted(CAMELOT) == sorted(KEYS)
    assert len(set(CAMELOT.values())) == 24


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("Am", {"Am", "Em", "Dm", "C"}),
        ("C", {"C", "G", "F", "Am"}),
        ("B", {"B", "F#", "E", "G#m"}),
    ],
)
def test_compatible_keys_are_the_neighbours_on_the_camelot_wheel(key: str, expected: set[str]) -> None:
    assert set(compatible_keys(key)) == expected


def test_compatibility_is_mutual() -> None:
    assert all(key in compatible_keys(other) for key in KEYS for other in compatible_keys(key))


def test_searched_text_is_folded_to_plain_lower_case() -> None:
    text = search_text(filename="Café №1.wav", name="Café", folder="Drüms/Kicks", tags=["Soul"], vibe="Warm")
    assert "cafe" in text
    assert "drums/kicks" in text
    assert "soul" in text
    assert "warm" in text
