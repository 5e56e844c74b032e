"""A description, and what it cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Vibe:
    """One sentence about a sample.

    Attributes:
        text: the sentence.
        model: who wrote it; "local" for the describer without a network.
        tokens_input, tokens_output: tokens the model took and gave.
        cost_usd: what the provider charged, in US dollars.
    """

    text: str
    model: str = "local"
    tokens_input: int = 0
    tokens_output: int = 0
    cost_usd: float = 0.0
