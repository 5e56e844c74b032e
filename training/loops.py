"""Loops and tracks made up at random, with the tempo that is right for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.signal

from sample_agent.engine.signal.frames import Floats
from training.fluid import DRUMS, Player
from training.instruments import Note, random_instrument
from training.kits import RATE, Kit, random_kit
from training.styles import STYLES, Style

_LEVELS = {"X": 1.0, "x": 0.75, "o": 0.3, "?": 0.6}
_BASE_LEVEL = {"kick": 1.0, "snare": 0.9, "clap": 0.7, "hat": 0.4, "open": 0.4, "ride": 0.35, "crash": 0.5,
               "rim": 0.5, "tom": 0.7, "perc": 0.5, "cowbell": 0.4, "shaker": 0.35}  # fmt: skip
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 9, 10))


@dataclass(frozen=True)
class Hit:
    """A drum, when (in beats) and how loud (0 to 1)."""

    beat: float
    drum: str
    level: float


@dataclass(frozen=True)
class Music:
    """What is played, before it sounds: `beats` long, at `tempo` beats per minute."""

    style: Style
    tempo: float
    beats: int
    hits: tuple[Hit, ...]
    parts: tuple[tuple[Note, ...], ...]

    @property
    def seconds(self) -> float:
        return self.beats * 60 / self.tempo


def compose(random: np.random.Generator, kind: str | None = None, styles: Sequence[Style] = STYLES) -> Music:
    """A loop: `kind` is "drums", "melodic" or "both", by default any."""
    weights = np.array([style.weight for style in styles])
    style = styles[int(random.choice(len(styles), p=weights / weights.sum()))]
    kind = kind or str(random.choice(["drums", "melodic", "both"], p=[0.6, 0.2, 0.2]))
    tempo = random.uniform(*style.tempo)
    if random.random() < 0.5:
        tempo = float(round(tempo))
    bars = int(random.choice([1, 2, 3, 4, 6, 8], p=[0.24, 0.38, 0.02, 0.28, 0.02, 0.06]))
    if bars * style.beats * 60 / tempo > 24:
        bars = max(1, bars // 2)
    beats = bars * style.beats
    if bars == 1 and style.beats == 4 and random.random() < 0.15:
        beats = 2
    hits = _drums(style, beats, random) if kind != "melodic" else ()
    parts = _melody(style, beats, random) if kind != "drums" else ()
    return Music(style, tempo, beats, hits, parts)


def _drums(style: Style, beats: int, random: np.random.Generator) -> tuple[Hit, ...]:
    steps_a_bar = style.steps * style.beats
    main, other = (style.bars[int(random.integers(len(style.bars)))] for _ in range(2))
    drums = sorted(set(main) | (set(other) if random.random() < 0.5 else set()))
    chance = random.random()
    if chance < 0.1:  # tops
        drums = [drum for drum in drums if drum not in ("kick", "tom")] or drums
    elif chance < 0.18:
        drums = [str(random.choice(drums))]
    elif chance < 0.3 and len(drums) > 2:
        drums = [drum for drum in drums if drum != str(random.choice(drums))]
    sixteenth_hats = style.steps == 4 and "hat" in drums and random.random() < 0.12
    delay = random.uniform(0, style.swing)
    human = random.uniform(0, 2) * style.human
    accents = random.uniform(0.5, 1.0, steps_a_bar)
    mutations = random.uniform(0, 0.12)
    hits = []
    bars = -(-beats // style.beats)
    for bar in range(bars):
        pattern = other if (bar % 2 == 1 and random.random() < 0.4) or random.random() < 0.1 else main
        fill = bar == bars - 1 and bars > 1 and random.random() < 0.35
        for drum in drums:
            line = pattern.get(drum, main.get(drum, "." * steps_a_bar))
            if drum == "hat" and sixteenth_hats:
                line = "xo" * (steps_a_bar // 2)
            for step, mark in enumerate(line):
                level = _LEVELS.get(mark, 0.0)
                if mark == "?" and random.random() < 0.5:
                    level = 0.0
                if random.random() < mutations:
                    level = 0.0 if level else random.choice([0.0, 0.3, 0.6], p=[0.75, 0.15, 0.1])
                if fill and step >= steps_a_bar * 3 // 4 and drum in ("snare", "tom", "kick"):
                    level = random.choice([0.0, 0.4, 0.9])
                if level:
                    late = delay if style.steps == 4 and step % 2 else 0.0
                    beat = bar * style.beats + (step + late) / style.steps
                    if beat < beats:
                        loud = level * accents[step] * random.uniform(0.85, 1.0)
                        hits.append(Hit(max(beat + random.normal(0, human) * 2, 0.0), drum, loud))
        if "hat" in drums and style.name in ("trap", "drill") and random.random() < 0.5:
            start, split = random.integers(0, style.beats * 2) / 2, int(random.choice([6, 8, 12]))
            hits.extend(
                Hit(bar * style.beats + start + i / split, "hat", 0.5)
                for i in range(split // 2)
                if start + i / split < 4
            )
    return tuple(hit for hit in hits if hit.beat < beats)


def _melody(style: Style, beats: int, random: np.random.Generator) -> tuple[tuple[Note, ...], ...]:
    """Chords, a bass, an arpeggio, a tune, or some of them, over chords that change every one, two or four beats."""
    scale = _SCALES[int(random.integers(len(_SCALES)))]
    tonic = int(random.integers(40, 52))
    change = int(random.choice([2, 4, 8], p=[0.2, 0.55, 0.25]))
    if style.beats == 3:
        change = 3
    roots = [0, *(int(random.choice([0, 3, 4, 5, 2])) for _ in range(7))]
    kinds = ["chords", "bass", "arpeggio", "tune", "stabs", "strum"]
    chosen = random.choice(kinds, size=int(random.choice([1, 2, 3], p=[0.5, 0.35, 0.15])), replace=False)
    parts = []
    for kind in chosen:
        notes: list[Note] = []
        rhythm = _rhythm(style, str(kind), random)
        for start in range(0, beats, change):
            root = roots[start // change % len(roots)]
            length = min(change, beats - start)
            notes.extend(_phrase(str(kind), start, length, root, scale, tonic, rhythm, random))
        human = random.uniform(0, 2) * style.human
        parts.append(tuple(replace(note, beat=max(0.0, note.beat + random.normal(0, human) * 2)) for note in notes))
    return tuple(parts)


def _rhythm(style: Style, kind: str, random: np.random.Generator) -> list[float]:
    """Where in a bar notes start, in beats; the same in every bar."""
    step = 1 / style.steps
    grid = np.arange(0, style.beats, step)
    if kind == "chords":
        return [0.0] if random.random() < 0.6 else [0.0, style.beats / 2]
    if kind == "arpeggio":
        return list(grid[:: int(random.choice([1, 2]))]) if style.steps == 4 else list(grid)
    if kind == "strum":
        return list(grid[::2]) if style.steps == 4 else list(grid)
    strength = np.array([1.0 if i % style.steps == 0 else 0.6 if i % 2 == 0 else 0.25 for i in range(len(grid))])
    keep = random.random(len(grid)) < strength * random.uniform(0.5, 1.0)
    keep[0] = True
    return [float(beat) for beat in grid[keep]]


def _phrase(
    kind: str, start: int, length: int, root: int, scale: tuple[int, ...], tonic: int, rhythm: list[float],
    random: np.random.Generator,
) -> list[Note]:  # fmt: skip
    def pitch(degree: int, octave: int = 0) -> int:
        return tonic + 12 * (octave + degree // len(scale)) + scale[degree % len(scale)]

    chord = [pitch(root + degree, 1) for degree in ((0, 2, 4, 6) if random.random() < 0.4 else (0, 2, 4))]
    bar = max(max(rhythm) + 0.25, 3.0 if length == 3 else 4.0)
    times = [beat for beat in rhythm if beat < length]
    if length > bar:
        times += [beat + np.ceil(bar) for beat in rhythm if beat + np.ceil(bar) < length]
    gaps = np.diff([*times, float(length)]) if times else []
    notes = []
    for index, (time, gap) in enumerate(zip(times, gaps, strict=True)):
        level = random.uniform(0.6, 0.8) + 0.2 * (time == int(time))
        held = gap * (0.95 if kind == "chords" else random.choice([0.4, 0.9]))
        if kind in ("chords", "stabs", "strum"):
            notes.extend(Note(start + time, tone, held, level) for tone in chord)
        elif kind == "bass":
            octave = int(random.random() < 0.15)
            notes.append(Note(start + time, pitch(root, octave - 1), held, level))
        elif kind == "arpeggio":
            notes.append(Note(start + time, chord[index % len(chord)] + 12, held, level))
        else:
            notes.append(Note(start + time, pitch(root + int(random.integers(0, 7)), 1), held, level))
    return notes


_GENERAL_MIDI = {
    "kick": (35, 36), "snare": (38, 40), "clap": (39,), "rim": (37, 76, 77), "hat": (42, 44), "open": (46,),
    "crash": (49, 57), "ride": (51, 53, 59), "tom": (41, 43, 45, 47, 48, 50), "perc": (60, 62, 63, 64, 65, 67, 75),
    "cowbell": (56, 68), "shaker": (54, 69, 70, 82),
}  # fmt: skip
_KITS = (0, 8, 16, 24, 25, 32, 40)
_PROGRAMS = (*range(14), 16, 17, 18, 21, *range(24, 32), 45, 46, 48, 50, 51, 56, *range(61, 68), 71, 73, *range(80, 92))
_BASSES = tuple(range(32, 40))


def perform(music: Music, player: Player, random: np.random.Generator) -> Floats:
    """The music played by General MIDI instruments, exactly as long as its beats, like `render`."""
    drums = {drum: int(random.choice(notes)) for drum, notes in _GENERAL_MIDI.items()}
    loudness = {drum: random.uniform(0.6, 1.1) * min(1.0, level + 0.3) for drum, level in _BASE_LEVEL.items()}
    programs = {DRUMS: int(random.choice(_KITS))}
    beat = 60 / music.tempo
    notes = [
        (hit.beat * beat, 0.2, DRUMS, drums[hit.drum], int(min(127, 20 + 100 * hit.level * loudness[hit.drum])))
        for hit in music.hits
    ]
    for channel, part in enumerate(music.parts):
        low = bool(part) and np.mean([note.pitch for note in part]) < 46
        programs[channel] = int(random.choice(_BASSES if low else _PROGRAMS))
        gain = random.uniform(0.5, 1.0)
        notes += [
            (note.beat * beat, note.held * beat, channel, note.pitch, int(30 + 95 * note.level * gain)) for note in part
        ]
    rings = random.random() < 0.5
    if rings:
        notes += [(start + music.seconds, *rest) for start, *rest in notes]
    length = round(music.seconds * RATE)
    mix = player.play(notes, programs, music.seconds * (1 + rings), bool(random.random() < 0.6))
    mix = np.resize(mix[-length:], length) if len(mix) >= length else np.pad(mix, (0, length - len(mix)))
    return effects(mix, random) if random.random() < 0.6 else mix / np.float32(max(float(np.abs(mix).max()), 1e-6))


def drifted(samples: Floats, random: np.random.Generator) -> Floats:
    """The same at a speed that wanders by a per cent or so, as people who play together do."""
    knots = max(3, int(len(samples) / RATE / 6))
    speed = 1 + np.interp(np.linspace(0, 1, 1000), np.linspace(0, 1, knots), random.normal(0, 0.008, knots))
    at = np.cumsum(np.repeat(speed / speed.mean(), -(-len(samples) // 1000)))
    at = at[at < len(samples) - 1]
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def render(music: Music, random: np.random.Generator, kit: Kit | None = None) -> Floats:
    """The music as samples at 44.1 kHz, exactly as long as its beats; ends ring on into the beginning or not."""
    length = round(music.seconds * RATE)
    mix = np.zeros(2 * length + 4 * RATE, np.float32)
    kit = kit or random_kit(random)
    beat = 60 / music.tempo * RATE
    for drum, gain in ((drum, _BASE_LEVEL[drum] * random.uniform(0.5, 1.3)) for drum in kit):
        for hit in music.hits:
            if hit.drum == drum:
                sound = kit[drum]
                if hit.level < 0.5 and drum in ("snare", "kick"):
                    sound = _softened(sound)
                at = int(hit.beat * beat)
                mix[at : at + len(sound)] += sound[: len(mix) - at] * np.float32(gain * hit.level)
    level = float(np.abs(mix).max()) or 1.0
    for part in music.parts:
        rendered = random_instrument(random)(part, music.tempo, len(mix))
        loud = float(np.abs(rendered).max())
        if loud:
            mix += rendered * np.float32(level * random.uniform(0.2, 1.0) / loud)
    mix = effects(mix, random)
    if random.random() < 0.5:
        return mix[:length]
    looped = mix[:length].copy()
    tail = mix[length : 2 * length]
    looped[: len(tail)] += tail
    return looped


def _softened(sound: Floats) -> Floats:
    return np.asarray(scipy.signal.lfilter([0.25], [1, -0.75], sound), np.float32)


def effects(mix: Floats, random: np.random.Generator) -> Floats:
    """Room, tone, drive, fewer bits, noise: each now and then."""
    if random.random() < 0.4:
        seconds = random.uniform(0.15, 1.8)
        decay = np.exp(-np.arange(int(seconds * RATE)) / (seconds / 5 * RATE))
        impulse = (random.standard_normal(len(decay)) * decay).astype(np.float32)
        wet = scipy.signal.oaconvolve(mix, impulse)[: len(mix)]
        mix = mix + wet * np.float32(random.uniform(0.05, 0.4) * np.abs(mix).max() / max(np.abs(wet).max(), 1e-6))
    if random.random() < 0.35:
        low = random.random() < 0.7
        hertz = random.uniform(800, 9000) if low else random.uniform(60, 500)
        sections = scipy.signal.butter(1, hertz, "low" if low else "high", fs=RATE, output="sos")
        mix = scipy.signal.sosfilt(sections, mix)
    mix = mix / max(float(np.abs(mix).max()), 1e-6)
    if random.random() < 0.45:
        mix = np.tanh(mix * random.uniform(1, 6))
    if random.random() < 0.12:
        hold = int(random.integers(2, 6))
        mix = np.repeat(mix[::hold], hold)[: len(mix)]
        mix = np.round(mix * 64) / 64
    if random.random() < 0.25:
        mix = mix + random.standard_normal(len(mix)) * 10 ** random.uniform(-4, -2)
    return np.asarray(mix / max(float(np.abs(mix).max()), 1e-6) * random.uniform(0.3, 1.0), np.float32)


_CHOPPED = ("jungle", "old break", "breakbeat", "funk", "boom bap", "two-step")


def unusual(random: np.random.Generator) -> tuple[Floats, float, str]:
    """A loop whose tempo is hard to hear: samples, tempo and what it is.

    A break cut into half beats that come in another order; a tune whose rhythm is another in every bar; or a texture
    that has little rhythm, or none but its length.
    """
    kind = str(random.choice(["chopped break", "solo", "texture"], p=[0.4, 0.3, 0.3]))
    if kind == "chopped break":
        music = compose(random, "drums")
        while music.style.name not in _CHOPPED:
            music = compose(random, "drums")
        return _chopped(render(music, random), music.beats * 2, random), music.tempo, kind
    if kind == "solo":
        music = compose(random, str(random.choice(["melodic", "both"], p=[0.75, 0.25])))
        return render(replace(music, parts=(_solo(music, random),)), random), music.tempo, kind
    music = compose(random, "melodic")
    return _texture(music, random), music.tempo, kind


def _chopped(loop: Floats, slices: int, random: np.random.Generator) -> Floats:
    edges = np.linspace(0, len(loop), slices + 1).astype(int)
    shortest = int(np.diff(edges).min())
    pieces = [loop[start : start + shortest] for start in edges[:-1]]
    out = loop.copy()
    moved = random.uniform(0.1, 0.5)
    for index, start in enumerate(edges[:-1]):
        piece = pieces[index]
        if index and random.random() < moved:
            piece = pieces[int(random.integers(slices))]
        if random.random() < 0.06:
            half = shortest // 2
            piece = np.concatenate((piece[:half], piece[:half]))
        out[start : start + len(piece)] = piece
    return out


def _solo(music: Music, random: np.random.Generator) -> tuple[Note, ...]:
    scale = _SCALES[int(random.integers(len(_SCALES)))]
    tonic, step = int(random.integers(52, 68)), 1 / music.style.steps
    busy = random.uniform(0.25, 0.8)
    times = [beat for beat in np.arange(0, music.beats, step)
             if random.random() < busy * (1.0 if beat % 1 == 0 else 0.7 if beat % 0.5 == 0 else 0.35)]  # fmt: skip
    gaps = np.diff([*times, float(music.beats)])
    human = random.uniform(0, 4) * music.style.human
    return tuple(
        Note(max(0.0, time + random.normal(0, human)), tonic + int(random.choice(scale)) + 12 * int(random.integers(2)),
             float(gap) * random.uniform(0.4, 1.0), random.uniform(0.5, 1.0))
        for time, gap in zip(times, gaps, strict=True)
    )  # fmt: skip


def _texture(music: Music, random: np.random.Generator) -> Floats:
    """Chords held for bars, noise that swells; now and then with a tremolo or an echo in time."""
    length = round(music.seconds * RATE)
    time = np.arange(length, dtype=np.float32) / RATE
    mix = np.zeros(length, np.float32)
    bar = music.style.beats
    for start in range(0, music.beats, bar * int(random.choice([1, 2, 4]))):
        begin = int(start * 60 / music.tempo * RATE)
        held = time[: length - begin]
        tonic = random.integers(36, 60)
        for tone in random.choice([0, 3, 4, 7, 10, 12, 15, 19], size=int(random.integers(1, 5)), replace=False):
            hertz = 440 * 2 ** ((tonic + tone - 69) / 12)
            wave = np.sin(2 * np.pi * hertz * held + random.uniform(0, 6)) + 0.3 * np.sin(
                4 * np.pi * hertz * held * 1.002
            )
            mix[begin:] += wave * np.minimum(held / random.uniform(0.01, 1.5), 1) * np.exp(-held / random.uniform(1, 8))
    if random.random() < 0.4:
        swell = 0.5 - 0.5 * np.cos(2 * np.pi * time / music.seconds * random.integers(1, 5) + random.uniform(0, 6))
        noise = scipy.signal.lfilter([0.1], [1, -random.uniform(0.5, 0.95)], random.standard_normal(length))
        mix += (noise * swell * random.uniform(0.05, 0.5)).astype(np.float32)
    if random.random() < 0.4:
        rate = music.tempo / 60 * random.choice([0.5, 1, 2, 4])
        mix *= (1 - random.uniform(0.2, 0.9) * (0.5 + 0.5 * np.sin(2 * np.pi * rate * time))).astype(np.float32)
    if random.random() < 0.4:
        hits = [hit for hit in music.hits or _drums(music.style, music.beats, random) if random.random() < 0.3]
        quiet = render(replace(music, hits=tuple(hits), parts=()), random)
        mix += quiet * np.float32(np.abs(mix).max() * random.uniform(0.1, 0.5))
    return effects(np.asarray(mix, np.float32), random)


def arrange(random: np.random.Generator, seconds: float, player: Player | None = None) -> tuple[Floats, float]:
    """A track: sections of one piece that come and go, and its tempo. With a player, General MIDI plays it."""
    music = compose(random, "both" if random.random() < 0.7 else "drums")
    while music.seconds < 4:
        music = compose(random, "both")
    kit = random_kit(random)
    sections = []
    drums = sorted({hit.drum for hit in music.hits})
    total = 0.0
    sound = int(random.integers(1000))
    while total < seconds:
        left_out = {drum for drum in drums if random.random() < 0.25}
        quiet = random.random() < 0.12
        hits = () if quiet and music.parts else tuple(hit for hit in music.hits if hit.drum not in left_out)
        parts = tuple(part for part in music.parts if quiet or random.random() < 0.8)
        section = replace(music, hits=hits, parts=parts)
        same = np.random.default_rng(sound + int(random.integers(2)))
        played = perform(section, player, same) if player else render(section, same, kit)
        sections.extend([played] * int(random.integers(1, 4)))
        total = sum(map(len, sections)) / RATE
    track = np.concatenate(sections)
    return drifted(track, random) if random.random() < 0.4 else track, music.tempo
