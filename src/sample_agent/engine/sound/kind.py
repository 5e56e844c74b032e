"""Whether a file is a one-shot, a loop or a track."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np

from sample_agent.engine.models.nets import Nets, read_weights, softmax
from sample_agent.engine.sound.descriptors import Descriptors

KindName = Literal["one-shot", "loop", "track"]
KINDS: tuple[KindName, ...] = get_args(KindName)

KIND_PARTS = ("rhythm", "envelope", "looping")
"""The descriptors that tell: how many sounds, how regular, what comes back, how its ends join, how long it is."""

_TRACK_SECONDS = 45.0
_SURE = 0.9
_REPEATING = 3
"""What starts less often repeats nothing."""


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        kind: "one-shot" (one sound: a hit, a note, a chord, a word, an effect), "loop" (made to be repeated) or "track"
            (a piece of music or an excerpt of one).
        confidence: 0 to 1.
    """

    kind: KindName
    confidence: float

    def may_have_tempo(self, onsets: int) -> bool:
        """Whether a file of this kind with so many onsets may repeat.

        A loop without a tempo is the worse mistake, so of one-shots only those have none that are surely one sound or
        start too seldom.
        """
        return self.kind != "one-shot" or (self.confidence < _SURE and onsets >= _REPEATING)


def estimate_kind(descriptors: Descriptors, duration: float) -> Kind:
    """Kind of a clip of which `duration` seconds are heard; two small nets that are averaged (training/kind.py).

    From 45 s on a file is a track, the surer the longer.
    """
    if not descriptors.values.any():
        return Kind("one-shot", 0.5)
    if duration >= _TRACK_SECONDS:
        return Kind("track", 1 - 0.3 * _TRACK_SECONDS / duration)
    nets, sharpness = load_model()
    inputs = np.concatenate([descriptors.values[descriptors.parts[name]] for name in KIND_PARTS])
    likely = softmax(sharpness * np.log(nets.likelihoods(inputs) + np.float32(1e-7)))
    best = int(likely.argmax())
    return Kind(KINDS[best], float(likely[best]))


@cache
def load_model() -> tuple[Nets, np.float32]:
    """The nets and how sharp their answers are, read once."""
    arrays = read_weights("kind")
    return Nets.of(arrays), np.float32(arrays["sharpness"])
