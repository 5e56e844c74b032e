"""What a sample is: kick, snare, bass, chord, drum loop, …"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from sample_agent.engine.models.nets import Nets, read_weights
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.sound.descriptors import SOUND_NUMBERS, Descriptors

Numbers = npt.NDArray[np.float64]

SoundClassName = Literal[
    "kick",
    "snare",
    "clap",
    "rim",
    "closed-hat",
    "open-hat",
    "cymbal",
    "tom",
    "percussion",
    "bass",
    "melodic",
    "chord",
    "vocal",
    "fx",
    "drum-loop",
    "melodic-loop",
]
SOUND_CLASSES: tuple[SoundClassName, ...] = get_args(SoundClassName)

DRUMS: frozenset[SoundClassName] = frozenset(
    {"kick", "snare", "clap", "rim", "closed-hat", "open-hat", "cymbal", "tom", "percussion"}
)
"""Single hits: some have a note, none has a key."""


@dataclass(frozen=True)
class SoundClass:
    """What a sample is, as far as can be heard.

    Attributes:
        name: the likeliest class.
        confidence: how often answers like this one were right for sources the nets had not heard, a little less for
            caution: of the answers given with 0.9, at least 95 in 100 are.
        probabilities: of every class in `SOUND_CLASSES`; together 1.
    """

    name: SoundClassName
    confidence: float
    probabilities: dict[SoundClassName, float]


def classify(descriptors: Descriptors) -> SoundClass | None:
    """The class of a sample; None for silence.

    A few small nets look at all descriptors of the sound and their answers are averaged (training/sound_class.py). A
    note and a chord, or an open and a closed hat, are told apart last: when the two share the vote, the stronger one
    stands for both in `confidence` only by its own share.
    """
    if not descriptors.values.any():
        return None
    nets, said, meant = load_model()
    likely = nets.likelihoods(descriptors.values[:SOUND_NUMBERS])
    best = int(likely.argmax())
    # No less than what knows nothing gives every class, or another would come before it.
    confidence = max(float(np.interp(likely[best], said, meant)), 1 / len(likely))
    values = _with(likely, best, confidence).tolist()
    return SoundClass(SOUND_CLASSES[best], values[best], dict(zip(SOUND_CLASSES, values, strict=True)))


def _with(likely: Floats, best: int, confidence: float) -> Floats:
    """Probabilities whose largest is `confidence`, in the same order: the others share the rest as before, or, when the
    largest shrinks, all are mixed with what knows nothing."""
    largest, even = float(likely[best]), 1 / len(likely)
    if confidence >= largest:
        shared: Floats = likely * np.float32((1 - confidence) / max(1 - largest, 1e-9))
        shared[best] = confidence
        return shared
    mixed: Floats = even + (likely - np.float32(even)) * np.float32((confidence - even) / max(largest - even, 1e-9))
    return mixed


@cache
def load_model() -> tuple[Nets, Numbers, Numbers]:
    """The nets, and what their likelihoods have meant; read once."""
    arrays = read_weights("class")
    return Nets.of(arrays), arrays["said"], arrays["meant"]
