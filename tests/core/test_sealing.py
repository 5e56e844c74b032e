"""What is sealed opens for its owner and its purpose, unchanged, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.core.sealing import KEY_ID_AT, BrokenSeal, derived_key, key_id, seal, unseal

KEY = b"k" * 48
KEYS = [KEY]


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_comes_back(secret: bytes, owner: bytes) -> None:
    assert unseal(KEYS, seal(KEYS, secret, purpose="seeds", about=owner), purpose="seeds", about=owner) == secret


def test_a_seal_shows_nothing_and_is_never_the_same_twice() -> None:
    sealed = {seal(KEYS, b"attack at dawn", purpose="seeds", about=b"me") for _ in range(50)}
    assert len(sealed) == 50
    assert all(b"attack" not in one for one in sealed)


@pytest.mark.parametrize(
    ("key", "purpose", "owner"),
    [(b"x" * 48, "seeds", b"me"), (KEY, "other", b"me"), (KEY, "seeds", b"you"), (KEY, "seeds", b"")],
    ids=["another key", "another purpose", "another owner", "no owner"],
)
def test_it_opens_with_its_own_key_purpose_and_owner_alone(key: bytes, purpose: str, owner: bytes) -> None:
    sealed = seal(KEYS, b"secret", purpose="seeds", about=b"me")
    with pytest.raises(BrokenSeal):
        unseal([key], sealed, purpose=purpose, about=owner)


def test_one_changed_bit_anywhere_breaks_the_seal() -> None:
    sealed = seal(KEYS, b"secret", purpose="seeds", about=b"me")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BrokenSeal):
            unseal(KEYS, bytes(changed), purpose="seeds", about=b"me")


@pytest.mark.parametrize("length", [0, 1, 4, 5, 12, 16, 17, 24, 32])
def test_what_is_cut_off_is_refused(length: int) -> None:
    sealed = seal(KEYS, b"secret", purpose="seeds", about=b"me")
    with pytest.raises(BrokenSeal):
        unseal(KEYS, sealed[:length], purpose="seeds", about=b"me")


def test_an_older_key_still_opens_what_it_sealed_and_seals_no_more() -> None:
    newer = b"n" * 48
    sealed = seal(KEYS, b"secret", purpose="seeds", about=b"me")
    assert unseal([newer, KEY], sealed, purpose="seeds", about=b"me") == b"secret"
    anew = seal([newer, KEY], b"secret", purpose="seeds", about=b"me")
    assert sealed[KEY_ID_AT] == key_id(KEY) != anew[KEY_ID_AT] == key_id(newer)
    with pytest.raises(BrokenSeal):
        unseal(KEYS, anew, purpose="seeds", about=b"me")


def test_every_purpose_has_a_key_of_its_own() -> None:
    keys = {derived_key(KEY, purpose) for purpose in ("a", "b", "ab", "")}
    assert len(keys) == 4
    assert all(len(key) == 32 for key in keys)
