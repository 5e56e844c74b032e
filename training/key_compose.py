"""Music in a known key, made up by rules: for everything that no public-domain score covers.

Each style is a function from a random generator to a `Piece`. None of it is art; it has the chords, basses, melodies
and habits by which listeners of that style tell the key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from training.key_scores import Note, Piece

Rng = np.random.Generator

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
DORIAN, MIXOLYDIAN, PHRYGIAN = (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10)

MELODY, CHORDS, BASS, PAD, DRUMS = 0, 1, 2, 3, 9
"""Parts of a composed piece."""

# Degrees of the scale, one chord a bar.
_POP_MAJOR = (
    "1564", "1645", "1465", "1456", "4536", "4536251", "45362511", "15634145", "14", "1454", "1345", "1241", "1625",
    "2511", "4165", "1514", "1264", "15", "1415", "6451", "1362", "1364", "1614", "4511", "4561",
    "6415", "64156451", "1555",
)  # fmt: skip
_POP_MINOR = (
    "1637", "1765", "1767", "1451", "1671", "14736251", "1567", "1145", "1374", "14", "1617", "6711", "4511", "1741",
    "1634", "1457", "1671", "1677", "1757", "4156", "6751", "1476", "6715", "4516", "1736",
)  # fmt: skip
_VAMPS_MINOR = ("1", "1", "17", "16", "14", "12", "11", "1171", "1161", "1146")
_VAMPS_MAJOR = ("1", "14", "17", "15", "12")


def compose(style: str, seed: int) -> Piece:
    """A piece of a style of `STYLES`; the same seed gives the same piece."""
    return STYLES[style](np.random.default_rng([seed, *style.encode()]))


def _pop(rng: Rng) -> Piece:
    minor = bool(rng.random() < 0.5)
    scale = MINOR if minor else MAJOR
    loops = _POP_MINOR if minor else _POP_MAJOR
    sections = []
    for _ in range(2):
        bars = _bars(
            str(rng.choice(loops)),
            scale,
            rng,
            raised=0.6 if minor else 0.0,
            sevenths=float(rng.choice([0, 0, 0.3, 0.7])),
        )
        sections += [bars, bars] if len(bars) <= 4 else [bars]
    bars = [bar for section in sections for bar in section]
    if rng.random() < 0.4:
        bars.append(_chord(scale, 1, rng))
    quarter = float(rng.uniform(0.4, 0.85))
    notes = [*_accompany(bars, rng), *_bass_line(bars, rng)]
    if rng.random() < 0.8:
        notes += _tune(bars, scale, rng, busy=float(rng.uniform(0.3, 0.9)))
    if rng.random() < 0.35:
        notes += _pads(bars, rng)
    if rng.random() < 0.6:
        notes += beat(len(bars), rng)
    return _piece("pop", minor, quarter, notes, rng)


def _hymn(rng: Rng) -> Piece:
    """Four parts that go through the functions of the harmony and close; a phrase may visit a neighbouring key."""
    minor = bool(rng.random() < 0.5)
    scale = MINOR if minor else MAJOR
    follow = {1: "24563571", 2: "57", 3: "64", 4: "1526", 5: "1116", 6: "245", 7: "1"}
    chords: list[tuple[int, ...]] = []
    phrases = int(rng.integers(3, 6))
    for phrase in range(phrases):
        local, base = scale, 0
        if 0 < phrase < phrases - 1 and rng.random() < 0.45:
            local, base = (
                ((MAJOR, 3) if minor else (MAJOR, 7)) if rng.random() < 0.6 else ((MINOR, 7) if minor else (MINOR, 9))
            )
        degree = 1 if phrase == 0 or rng.random() < 0.6 else int(rng.choice([5, 6, 4]))
        for _ in range(int(rng.integers(4, 8))):
            chords.append(_shift(_chord(local, degree, rng, raised=0.9), base))
            degree = int(rng.choice(list(follow[degree])))
        end = 5 if phrase < phrases - 1 and rng.random() < 0.35 else 1
        chords.append(_shift(_chord(local, 4 if end == 5 else 5, rng, raised=1.0), base))
        chord = _shift(_chord(local, end, rng, raised=1.0), base)
        if minor and end == 1 and rng.random() < 0.3:
            chord = (chord[0], chord[0] + 4, chord[0] + 7)  # the Picardy third
        chords += [chord, chord]
    notes, voices = [], [rng.integers(69, 76), rng.integers(62, 69), rng.integers(55, 62)]
    for time, chord in enumerate(chords):
        inversion = int(rng.choice([0, 0, 0, 1, 1, 2], p=None))
        root = chord[inversion % len(chord)] if 0 < time < len(chords) - 2 else chord[0]
        notes.append(Note(time, 1.0, 41 + (root - 41) % 12 + (12 if rng.random() < 0.3 else 0), 3))
        for part, voice in enumerate(voices):
            tones = [pitch for pitch in range(48, 82) if pitch % 12 in {tone % 12 for tone in chord}]
            near = min(tones, key=lambda pitch: abs(pitch - voice - rng.normal(0, 1.5)))
            voices[part] = near
            if rng.random() < 0.25:
                step = near + int(rng.choice([-2, -1, 1, 2]))
                inside = (step % 12) in {tone % 12 for tone in scale}
                notes += [Note(time, 0.5, near, part), Note(time + 0.5, 0.5, step if inside else near, part)]
            else:
                notes.append(Note(time, 1.0, near, part))
    return _piece("hymn", minor, float(rng.uniform(0.5, 1.0)), notes, rng)


def _folk(rng: Rng) -> Piece:
    minor = bool(rng.random() < 0.35)
    scale = (MINOR if rng.random() < 0.7 else DORIAN) if minor else (MAJOR if rng.random() < 0.9 else MIXOLYDIAN)
    loops = (
        ("1451", "1117", "1717", "1171", "1457", "1551") if minor else ("1451", "1415", "1145", "1511", "1641", "1251")
    )
    bars: list[tuple[int, ...]] = []
    for _ in range(4):
        bars += _bars(str(rng.choice(loops)), scale, rng, raised=0.4 if minor else 0.0)
    bars += [_chord(scale, 5 if not minor or rng.random() < 0.5 else 7, rng), _chord(scale, 1, rng)]
    notes = _tune(bars, scale, rng, busy=float(rng.uniform(0.6, 1.0)), close=True)
    if rng.random() < 0.5:
        notes += [*_accompany(bars, rng), *_bass_line(bars, rng)]
    return _piece("folk", minor, float(rng.uniform(0.3, 0.7)), notes, rng)


def _jazz(rng: Rng) -> Piece:
    minor = bool(rng.random() < 0.45)
    scale = MINOR if minor else MAJOR
    if rng.random() < 0.3:  # twelve bars of blues, dominant sevenths throughout
        third = 3 if minor else 4
        bars = [(root, root + third, root + 7, root + 10) for root in (0, 0, 0, 0, 5, 5, 0, 0, 7, 5, 0, 0)]
    else:
        loops = (
            ("2511", "1625", "1451", "4511", "1147") if minor else ("2511", "1625", "3625", "1425", "4361", "25112511")
        )
        bars = []
        for _ in range(3):
            bars += _bars(str(rng.choice(loops)), scale, rng, raised=0.9 if minor else 0.0, sevenths=0.95)
    notes = [*_accompany(bars, rng), *_bass_line(bars, rng, walking=rng.random() < 0.6)]
    if rng.random() < 0.7:
        notes += _tune(bars, scale, rng, busy=0.9)
    if rng.random() < 0.6:
        notes += beat(len(bars), rng)
    return _piece("jazz", minor, float(rng.uniform(0.3, 0.7)), notes, rng)


def _electronic(rng: Rng) -> Piece:
    """Loops of clubs: a riff or one note in the bass, stabs that move in parallel, drones; mostly minor."""
    minor = bool(rng.random() < 0.8)
    scale = (
        (MINOR, MINOR, DORIAN, PHRYGIAN)[int(rng.integers(4))] if minor else (MAJOR, MIXOLYDIAN)[int(rng.integers(2))]
    )
    loop = (
        str(rng.choice(_VAMPS_MINOR if minor else _VAMPS_MAJOR))
        if rng.random() < 0.6
        else str(rng.choice(_POP_MINOR if minor else _POP_MAJOR))
    )
    bars = _bars(loop, scale, rng, sevenths=float(rng.choice([0, 0.5, 1.0])))
    bars *= max(1, 8 // len(bars))
    notes: list[Note] = []
    kind = rng.random()
    if kind < 0.75:
        notes += _riff(bars, scale, rng) if rng.random() < 0.6 else _bass_line(bars, rng)
    if kind > 0.3:
        if rng.random() < 0.3:  # one sampled chord, played at several speeds
            stab = _chord(scale, 1, rng, sevenths=0.6)
            bars_of_stab = [_shift(stab, bar[0] - stab[0]) for bar in bars]
            notes += _accompany(bars_of_stab, rng)
        else:
            notes += _pads(bars, rng) if rng.random() < 0.5 else _accompany(bars, rng)
    if rng.random() < 0.35:
        notes += _tune(bars, scale, rng, busy=float(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.6:
        notes += beat(len(bars), rng)
    return _piece("electronic", minor, float(rng.uniform(0.33, 0.6)), notes, rng)


STYLES: dict[str, Callable[[Rng], Piece]] = {
    "pop": _pop, "hymn": _hymn, "folk": _folk, "jazz": _jazz, "electronic": _electronic,
}  # fmt: skip


def _piece(source: str, minor: bool, quarter: float, notes: Sequence[Note], rng: Rng) -> Piece:
    tonic = int(rng.integers(12))
    shift = tonic if tonic <= 6 else tonic - 12
    moved = [
        note if note.part == DRUMS else Note(note.start, note.length, note.pitch + shift, note.part, note.velocity)
        for note in notes
    ]
    return Piece(source, "", tonic, minor, quarter, tuple(sorted(moved, key=lambda note: note.start)))


def _chord(scale: Sequence[int], degree: int, rng: Rng, raised: float = 0.0, sevenths: float = 0.0) -> tuple[int, ...]:
    """Thirds above a degree of a scale; `raised`: how often the fifth degree of a minor scale gets its leading tone."""
    tones = [scale[(degree - 1 + step) % 7] + 12 * ((degree - 1 + step) // 7) for step in (0, 2, 4, 6)]
    if degree == 5 and scale[2] == 3 and rng.random() < raised:
        tones[1] = 11
    if degree == 7 and scale[2] == 3 and raised == 1.0:
        tones[0] = 11
    return tuple(tones if rng.random() < sevenths else tones[:3])


def _bars(
    loop: str, scale: Sequence[int], rng: Rng, raised: float = 0.0, sevenths: float = 0.0
) -> list[tuple[int, ...]]:
    return [_chord(scale, int(degree), rng, raised, sevenths) for degree in loop]


def _shift(chord: tuple[int, ...], by: int) -> tuple[int, ...]:
    return tuple(tone + by for tone in chord)


def _near(pitch_class: int, around: int) -> int:
    return around + (pitch_class - around + 6) % 12 - 6


def _accompany(bars: list[tuple[int, ...]], rng: Rng) -> list[Note]:
    around, pattern = int(rng.integers(54, 68)), rng.choice(["block", "arpeggio", "offbeat", "broken", "stabs"])
    stabs = sorted(rng.choice(8, int(rng.integers(1, 5)), replace=False) / 2)
    velocity, spread = int(rng.integers(60, 100)), int(rng.integers(-4, 5))
    notes = []
    for bar, chord in enumerate(bars):
        tones = sorted(_near(tone, around + spread) for tone in chord)
        time = 4.0 * bar
        if pattern == "block":
            notes += [Note(time + beat, 1.9, tone, CHORDS, velocity) for beat in (0, 2) for tone in tones]
        elif pattern == "offbeat":
            notes += [Note(time + beat + 0.5, 0.4, tone, CHORDS, velocity) for beat in range(4) for tone in tones]
        elif pattern == "stabs":
            notes += [Note(time + float(beat), 0.4, tone, CHORDS, velocity) for beat in stabs for tone in tones]
        else:
            order = [*tones, tones[0] + 12] if pattern == "arpeggio" else [tones[0], tones[-1], tones[1], tones[-1]]
            notes += [Note(time + step / 2, 0.6, order[step % len(order)], CHORDS, velocity) for step in range(8)]
    return notes


def _pads(bars: list[tuple[int, ...]], rng: Rng) -> list[Note]:
    around = int(rng.integers(52, 72))
    return [Note(4.0 * bar, 4.0, _near(tone, around), PAD, 70) for bar, chord in enumerate(bars) for tone in chord]


def _bass_line(bars: list[tuple[int, ...]], rng: Rng, walking: bool = False) -> list[Note]:
    lowest, pattern = int(rng.integers(28, 41)), rng.choice(["long", "eighths", "fifth", "octave", "syncopated"])
    notes = []
    for bar, chord in enumerate(bars):
        root, time = lowest + (chord[0] - lowest) % 12, 4.0 * bar
        if walking:
            after = lowest + (bars[(bar + 1) % len(bars)][0] - lowest) % 12
            line = [root, root + (chord[1] - chord[0]), root + (chord[2] - chord[0]), after + int(rng.choice([-1, 1]))]
            notes += [Note(time + beat, 0.95, pitch, BASS) for beat, pitch in enumerate(line)]
        elif pattern == "long":
            notes.append(Note(time, 3.9, root, BASS))
        elif pattern == "eighths":
            notes += [Note(time + step / 2, 0.45, root, BASS) for step in range(8)]
        elif pattern == "fifth":
            notes += [
                Note(time, 1.9, root, BASS),
                Note(time + 2, 1.9, root + 7 if chord[2] - chord[0] == 7 else root, BASS),
            ]
        elif pattern == "octave":
            notes += [Note(time + step / 2, 0.4, root + 12 * (step % 2), BASS) for step in range(8)]
        else:
            notes += [Note(time + start, length, root, BASS) for start, length in ((0, 1.4), (1.5, 0.9), (2.5, 1.4))]
    return notes


def _riff(bars: list[tuple[int, ...]], scale: Sequence[int], rng: Rng) -> list[Note]:
    """A bass figure of one bar around the tonic, repeated; often nothing but the tonic."""
    lowest = int(rng.integers(26, 40))
    others = [scale[2], scale[4], scale[6], scale[3], 0, 12]
    starts = sorted(rng.choice(16, int(rng.integers(1, 9)), replace=False) / 4)
    plain = rng.random() < 0.45
    pitches = [
        0 if plain or step == 0 or rng.random() < 0.5 else int(rng.choice(others)) for step in range(len(starts))
    ]
    ends = [*starts[1:], 4.0]
    hold = float(rng.uniform(0.4, 1.0))
    base = lowest + (-lowest) % 12
    return [
        Note(4.0 * bar + float(start), max(0.2, hold * float(end - start)), base + pitch, BASS)
        for bar in range(len(bars))
        for start, end, pitch in zip(starts, ends, pitches, strict=True)
    ]


def _tune(bars: list[tuple[int, ...]], scale: Sequence[int], rng: Rng, busy: float, close: bool = False) -> list[Note]:
    """A melody that leans on the chords, moves by steps, and comes to rest at the ends of phrases."""
    tones = scale
    if rng.random() < 0.35:
        tones = (0, 3, 5, 7, 10) if scale[2] == 3 else (0, 2, 4, 7, 9)
    around = int(rng.integers(64, 80))
    ladder = [pitch for pitch in range(around - 12, around + 13) if pitch % 12 in {tone % 12 for tone in tones}]
    pitch, notes = _near(0, around), []
    for bar, chord in enumerate(bars):
        inside = {tone % 12 for tone in chord}
        rest = bar % 4 == 3 or bar == len(bars) - 1
        starts = (
            [0.0]
            if rest and rng.random() < 0.6
            else [beat / 2 for beat in range(8) if rng.random() < (busy if beat else 0.8)]
        )
        for place, start in enumerate(starts):
            pitch = min(ladder, key=lambda rung: abs(rung - pitch - rng.normal(0, 2.5)))
            if start % 2 == 0 and rng.random() < 0.7:
                pitch = min(
                    range(around - 12, around + 13), key=lambda rung: abs(rung - pitch) + (rung % 12 not in inside) * 99
                )
            end = starts[place + 1] if place + 1 < len(starts) else 4.0
            if (
                rest
                and place == len(starts) - 1
                and ((close and bar == len(bars) - 1) or (0 in inside and rng.random() < 0.6))
            ):
                pitch = _near(0, pitch)
            notes.append(Note(4.0 * bar + start, 0.95 * (end - start), pitch, MELODY, int(rng.integers(75, 110))))
    return notes


def beat(bars: int, rng: Rng) -> list[Note]:
    """A drum pattern of one bar in General MIDI drums."""
    kick = sorted({0.0, *(rng.choice(16, int(rng.integers(0, 4))) / 4)})
    snare = [1.0, 3.0] if rng.random() < 0.8 else [2.0]
    hats = np.arange(0, 4, float(rng.choice([0.25, 0.5, 1.0])))
    hat, drum, clap = int(rng.choice([42, 46, 51])), int(rng.choice([35, 36])), int(rng.choice([38, 39, 40]))
    hits = (
        [(time, drum, 110) for time in kick]
        + [(time, clap, 100) for time in snare]
        + [(time, hat, 70) for time in hats]
    )
    if rng.random() < 0.3:
        hits += [(float(time) / 4, int(rng.choice([41, 43, 45, 47, 50])), 90) for time in rng.choice(16, 3)]
    return [
        Note(4.0 * bar + float(time), 0.2, pitch, DRUMS, velocity)
        for bar in range(bars)
        for time, pitch, velocity in hits
    ]
