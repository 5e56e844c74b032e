"""Describes a sample in words a producer would use."""

from sample_agent.vibe.local import describe, describe_locally
from sample_agent.vibe.vibe import Vibe

__all__ = ["Vibe", "describe", "describe_locally"]
