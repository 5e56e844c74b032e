"""What the package offers by its own name."""

from __future__ import annotations

import sample_agent.sp404 as sp404


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(sp404, name) is not None for name in sp404.__all__)


def test_a_name_it_does_not_have_is_missing_as_usual() -> None:
    assert not hasattr(sp404, "load_everything")
