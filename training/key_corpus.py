"""Excerpts to learn keys from, rendered once and kept as the tones that the engine finds in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from sample_agent.engine.signal.tonal import TonalMeter
from sample_agent.engine.tonality.tuning import Tones, find_tones
from training.fluid import RATE, SOUNDFONTS, Player
from training.key_compose import compose
from training.key_render import Samples, render, render_drums
from training.key_scores import Piece, read_scores
from training.places import cache_folder, recordings

COUNTS = {"bach": 2, "fiddle": 1, "pop": 1500, "hymn": 800, "folk": 500, "jazz": 600, "electronic": 1200, "drums": 400}
"""Renderings of each score, pieces of each style, and excerpts without any key."""

_SHARD = 100


@dataclass(frozen=True, eq=False)
class Excerpt:
    """What the engine heard of an excerpt, and its key: 0 to 11 major from C, 12 to 23 minor, -1 for none."""

    source: str
    key: int
    tones: Tones


def hear(samples: Samples, rate: int) -> Tones:
    """The tones of a mono signal, as `Listening` would have them."""
    meter = TonalMeter(rate, len(samples) / rate + 1)
    meter.feed(np.ascontiguousarray(samples, np.float32), last=True)
    frames = meter.finish()
    return find_tones(frames.power, frames.width_hz)


def recorded() -> list[Excerpt]:
    """The development recordings with a known key."""
    names = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
    excerpts = []
    for recording in recordings("key"):
        samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
        tonic, mode = recording.label.split()
        key = names.index(tonic) + 12 * (mode == "minor")
        excerpts.append(Excerpt(recording.source, key, hear(samples.mean(axis=1), rate)))
    return excerpts


_KEYLESS = ("kick", "snare", "hat", "cymbal", "tom", "rim", "clap", "perc")


def keyless() -> list[Excerpt]:
    """Recorded drums, one hit each: even a tom or a bell is in no key."""
    excerpts = []
    for recording in recordings("class"):
        if recording.label in _KEYLESS:
            samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
            excerpts.append(Excerpt("drums", -1, hear(samples.mean(axis=1), rate)))
    return excerpts


def rendered(most: int) -> Iterator[Excerpt]:
    """What is rendered or made up; the first call takes the better part of an hour for all, later ones seconds."""
    for path in _shards(most):
        with np.load(path, allow_pickle=False) as file:
            shard = {name: file[name] for name in file.files}
        ends = np.cumsum(shard["peaks"])
        for place, end in enumerate(ends):
            own = slice(end - shard["peaks"][place], end)
            tones = Tones(
                shard["frame"][own].astype(np.int64),
                shard["pitch"][own],
                shard["weight"][own],
                int(shard["frames"][place]),
                float(shard["tonality"][place]),
            )
            yield Excerpt(str(shard["source"][place]), int(shard["key"][place]), tones)


def _shards(most: int) -> Iterator[Path]:
    folder = cache_folder("key")
    jobs = _jobs(read_scores(folder / "scores.json"))
    players: list[Player] = []
    for number in range(-(-min(most, len(jobs)) // _SHARD)):
        batch = jobs[number * _SHARD : (number + 1) * _SHARD]
        path = folder / f"tones-{number:03d}.npz"
        if not path.exists():
            players = players or [Player(soundfont) for soundfont in SOUNDFONTS]
            excerpts = [_excerpt(source, seed, piece, players) for source, seed, piece in batch]
            tones = [excerpt.tones for excerpt in excerpts]
            unfinished = path.with_suffix(".part.npz")
            np.savez_compressed(
                unfinished,
                source=np.array([excerpt.source for excerpt in excerpts]),
                key=np.array([excerpt.key for excerpt in excerpts]),
                peaks=np.array([len(each.frame) for each in tones]),
                frames=np.array([each.frames for each in tones]),
                tonality=np.array([each.tonality for each in tones]),
                frame=np.concatenate([each.frame for each in tones]).astype(np.uint16),
                pitch=np.concatenate([each.pitch for each in tones]),
                weight=np.concatenate([each.weight for each in tones]),
            )
            unfinished.rename(path)
            print(f"rendered {number * _SHARD + len(batch)}", flush=True)
        yield path


def _jobs(scores: list[Piece]) -> list[tuple[str, int, Piece | None]]:
    """Source, seed and score of every excerpt; sources spread evenly, so that any beginning is a fair sample."""
    jobs: list[tuple[float, str, int, Piece | None]] = []
    for source, count in COUNTS.items():
        pieces: list[Piece | None] = [piece for piece in scores if piece.source == source] * count or [None] * count
        jobs += [((seed + 0.5) / len(pieces), source, seed, piece) for seed, piece in enumerate(pieces)]
    return [job[1:] for job in sorted(jobs, key=lambda job: job[0])]


def _excerpt(source: str, seed: int, piece: Piece | None, players: list[Player]) -> Excerpt:
    samples, key = _sound(source, seed, piece, players)
    return Excerpt(source, key, hear(samples, RATE))


def _sound(source: str, seed: int, piece: Piece | None, players: list[Player]) -> tuple[Samples, int]:
    rng = np.random.default_rng([seed, *source.encode()])
    player = players[int(rng.integers(len(players)))]
    if source == "drums":
        return render_drums(rng, player, breaks()), -1
    rendering = render(piece or compose(source, seed), rng, player)
    samples = rendering.samples
    if rng.random() < (0.25 if source in ("electronic", "pop") else 0.08):
        samples = over_drums(samples, rng)
    return samples, rendering.tonic + 12 * rendering.minor


def sounds(each: int) -> Iterator[tuple[str, int, Samples]]:
    """Source, key and samples of the first excerpts of each source that has keys."""
    players = [Player(soundfont) for soundfont in SOUNDFONTS]
    left = {source: each for source in COUNTS if source != "drums"}
    for source, seed, piece in _jobs(read_scores(cache_folder("key") / "scores.json")):
        if left.get(source, 0) > 0:
            left[source] -= 1
            samples, key = _sound(source, seed, piece, players)
            yield source, key, samples


def over_drums(samples: Samples, rng: np.random.Generator) -> Samples:
    """A recorded break below an excerpt, from inaudible to louder than the rest."""
    drums = np.resize(breaks()[int(rng.integers(len(breaks())))], len(samples))
    level = 10 ** (rng.uniform(-12, 4) / 20) * np.sqrt(
        np.mean(np.square(samples)) / max(1e-9, np.mean(np.square(drums)))
    )
    return (samples + drums * np.float32(level)).astype(np.float32)


@cache
def breaks() -> list[npt.NDArray[np.float32]]:
    """Recorded drum loops, mono, at whatever rate they have: other speeds do no harm here."""
    loops = []
    for recording in (*recordings("class"), *recordings("tempo")):
        if recording.label == "drumloop" or recording.source == "switchangel":
            samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
            if len(samples) > rate:
                loops.append(samples.mean(axis=1))
    return loops


if __name__ == "__main__":
    print(sum(1 for _ in rendered(100_000)), "excerpts")
