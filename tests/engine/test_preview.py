"""Previews: what a browser gets to play."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sample_agent.engine import AudioError, decode, render_preview
from tests.engine.files import AUDIO, write
from tests.sounds import RATE, tone


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_24"), ("AIFF", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
def test_short_files_become_flac_of_the_same_length_and_channels(tmp_path: Path, container: str, subtype: str) -> None:
    source, preview = write(tmp_path / "source", container, subtype), tmp_path / "preview"
    info = render_preview(source, preview)
    assert info.content_type == "audio/flac"
    original, copy = decode(source), decode(preview)
    assert copy.format == "flac"
    assert copy.samples.shape == original.samples.shape
    assert np.abs(copy.samples - original.samples).max() < 1e-4
    assert soundfile.info(preview).subtype == "PCM_16"


def test_long_files_become_mp3(tmp_path: Path) -> None:
    source = write(tmp_path / "long.wav", samples=tone(440, 61))
    info = render_preview(source, tmp_path / "preview")
    assert info.content_type == "audio/mpeg"
    assert info.duration == pytest.approx(61)
    copy = decode(tmp_path / "preview")
    assert copy.format == "mp3"
    assert len(copy.samples) / RATE == pytest.approx(61, abs=0.1)
    assert (tmp_path / "preview").stat().st_size < source.stat().st_size / 5


def test_high_sample_rates_and_many_channels_come_down(tmp_path: Path) -> None:
    source = tmp_path / "source.wav"
    sine = 0.5 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 96_000)
    soundfile.write(source, np.repeat(sine[:, None], 4, axis=1), 96_000)
    info = render_preview(source, tmp_path / "preview")
    assert (info.sample_rate, info.channels) == (48_000, 1)
    assert len(decode(tmp_path / "preview").samples) == pytest.approx(48_000, abs=2)


def test_a_file_over_full_scale_is_limited_not_wrapped(tmp_path: Path) -> None:
    source = write(tmp_path / "hot.wav", "WAV", "FLOAT", tone(100, 0.5, level=1.5))
    render_preview(source, tmp_path / "preview")
    assert np.abs(np.diff(decode(tmp_path / "preview").samples[:, 0])).max() < 0.1


@pytest.mark.parametrize("name", ["chord.m4a", "chord-lossless.m4a"])
def test_m4a_becomes_flac(tmp_path: Path, name: str) -> None:
    assert render_preview(AUDIO / name, tmp_path / "preview").content_type == "audio/flac"


def test_nothing_is_left_behind_when_it_fails(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with pytest.raises(AudioError):
        render_preview(bad, tmp_path / "preview")
    assert list(tmp_path.iterdir()) == [bad]
