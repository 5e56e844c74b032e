"""The one error the engine raises about a file."""

from typing import Literal, get_args

AudioErrorCode = Literal[
    "file-not-found",
    "unsupported-format",
    "corrupt-audio",
    "empty-audio",
    "too-long",
    "analysis-timeout",
    "too-much-memory",
    "analysis-crashed",
    "analysis-failed",
]
AUDIO_ERROR_CODES: tuple[AudioErrorCode, ...] = get_args(AudioErrorCode)


class AudioError(Exception):
    """A file cannot be used, and why.

    Args:
        code: one of `AUDIO_ERROR_CODES`; stable, for programs.
        message: one or two sentences for the person whose file it is.
    """

    def __init__(self, code: AudioErrorCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message
