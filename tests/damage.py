"""Damaged files: a valid one with bytes changed, cut out, doubled or put in."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy


def damaged(valid: bytes, edits: int = 4) -> SearchStrategy[bytes]:
    """`valid` after up to `edits` blows; none is a blow, too."""

    @st.composite
    def after_blows(draw: DrawFn) -> bytes:
        content = bytearray(valid)
        for _ in range(draw(st.integers(0, edits))):
            at = draw(st.integers(0, max(len(content) - 1, 0)))
            length = draw(st.sampled_from([1, 2, 4, 8, 16, 64, 512]))
            match draw(st.sampled_from(["change", "cut", "double", "put", "end"])):
                case "change":
                    new = draw(st.binary(min_size=1, max_size=8))
                    content[at : at + len(new)] = new
                case "cut":
                    del content[at : at + length]
                case "double":
                    content[at:at] = content[at : at + length]
                case "put":
                    content[at:at] = draw(st.binary(min_size=1, max_size=16))
                case "end":
                    del content[at:]
        return bytes(content)

    return after_blows()
