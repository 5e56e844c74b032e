"""What is handed over as samples is audio, or an error that says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sample_agent.engine import AudioError, analyze_samples
from tests.sounds import RATE, tone


@pytest.mark.parametrize("rate", [0, -44_100, 12, 10_000_000, 44_100.5, float("nan"), "44100", None, True])
def test_a_rate_that_no_audio_has_is_refused(rate: Any) -> None:
    with pytest.raises(AudioError, match="sample rate") as caught:
        analyze_samples(tone(), rate)
    assert caught.value.code == "unsupported-format"


@pytest.mark.parametrize("rate", [np.int64(RATE), 1000, 768_000])
def test_any_whole_rate_that_audio_has_works(rate: int) -> None:
    assert analyze_samples(tone(), rate).sample_rate == rate


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9, -65.0])
@pytest.mark.parametrize("place", [0, 7000, -1])
def test_samples_that_are_no_levels_are_refused(value: float, place: int) -> None:
    samples = tone()
    samples[place] = value
    with pytest.raises(AudioError) as caught:
        analyze_samples(samples, RATE)
    assert caught.value.code == "corrupt-audio"


@pytest.mark.parametrize(
    "samples", [np.float32(0.5), np.zeros((2, 100, 2)), np.zeros((10, 65)), np.array(["a"]), np.zeros(100, np.int16)]
)
def test_arrays_that_are_no_channels_of_floats_are_refused(samples: Any) -> None:
    with pytest.raises(AudioError) as caught:
        analyze_samples(samples, RATE)
    assert caught.value.code == "unsupported-format"


@pytest.mark.parametrize("shape", [(0,), (0, 2), (100, 0)])
def test_arrays_with_nothing_in_them_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError) as caught:
        analyze_samples(np.zeros(shape), RATE)
    assert caught.value.code == "empty-audio"
