"""What a sample is: kick, snare, bass, chord, drum loop, …"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np

from sample_agent.engine.descriptors import SOUND_NUMBERS, Descriptors
from sample_agent.engine.nets import Nets, read_weights, softmax

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


@dataclass(frozen=True)
class SoundClass:
    """What a sample is, as far as can be heard.

    Attributes:
        name: the likeliest class.
        confidence: how likely it is, 0 to 1, calibrated: of the answers given with 0.9, nine in ten are right.
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
    nets, sharpness = load_model()
    likely = softmax(
        sharpness * np.log(softmax(nets(descriptors.values[:SOUND_NUMBERS])).mean(axis=0) + np.float32(1e-7))
    )
    best = int(likely.argmax())
    values = likely.tolist()
    return SoundClass(SOUND_CLASSES[best], values[best], dict(zip(SOUND_CLASSES, values, strict=True)))


@cache
def load_model() -> tuple[Nets, np.float32]:
    """The nets and how sharp their answers are, read once."""
    arrays = read_weights("class")
    return Nets.of(arrays), np.float32(arrays["sharpness"])
