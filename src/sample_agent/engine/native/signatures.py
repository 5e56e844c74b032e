"""Arguments and results of the kernel's functions, as ctypes wants them."""

from ctypes import c_double, c_float, c_int, c_long, c_void_p
from typing import Any

VERSION = 7
"""Rises with every change of a signature; `kernel_version` in the library must say the same."""

SIGNATURES: dict[str, tuple[Any, ...]] = {
    "transform_new": (c_long, c_void_p),
    "power_frames": (c_void_p, c_void_p, c_long, c_long, c_void_p),
    "short_frames": (
        *(c_void_p, c_void_p, c_void_p, c_void_p, c_float, c_void_p),
        *(c_long, c_long, c_void_p, c_void_p, c_void_p),
    ),
    "take_apart": (c_void_p, c_long, c_long, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "measure_cells": (c_void_p, c_long, c_long, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "weighted_energy": (
        *(c_void_p, c_long, c_long, c_void_p, c_void_p, c_void_p),
        *(c_void_p, c_double, c_double, c_void_p),
    ),
    "find_peaks": (c_void_p, c_long, c_void_p, c_long, c_void_p),
    "describe_sound": (
        *(c_void_p, c_void_p, c_long, c_long, c_long, c_double, c_double),
        *(c_void_p, c_long, c_double),
        *(c_void_p, c_long, c_long, c_long, c_double, c_void_p),
        *(c_void_p, c_void_p),
    ),
    "outline": (c_void_p, c_void_p, c_long, c_long, c_void_p, c_void_p),
    "onset_rises": (c_void_p, c_long, c_float, c_long, c_long, c_void_p),
    "find_peaks_of_rise": (c_void_p, c_long, c_long, c_long, c_float, c_long, c_void_p),
    "place_onsets": (c_void_p, c_long, c_void_p, c_long, c_long, c_long, c_void_p),
    "fingerprint_pictures": (
        *(c_void_p, c_long, c_double, c_double, c_void_p, c_long, c_long, c_double),
        *(c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "long_transform_new": (c_long,),
    "pitch_curves": (
        *(c_void_p, c_void_p, c_long, c_long, c_long),
        *(c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pitch_candidates": (
        *(c_void_p, c_long, c_void_p, c_long, c_void_p, c_void_p),
        *(c_long, c_double, c_double, c_void_p, c_void_p, c_void_p),
    ),
    "find_tones_in": (
        *(c_void_p, c_long, c_long, c_long, c_long, c_double, c_float, c_long),
        *(c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "sum_of_trees": (c_void_p, c_void_p, c_void_p, c_long, c_long, c_void_p, c_long, c_long, c_void_p),
    "ask_nets": (*(c_void_p,) * 7, *(c_long,) * 4, c_void_p),
    "decimate": (c_void_p, c_long, c_long, c_void_p, c_long, c_void_p),
}

RESULTS: dict[str, Any] = {
    "transform_new": c_void_p,
    "power_frames": c_int,
    "short_frames": c_int,
    "measure_cells": c_long,
    "describe_sound": c_int,
    "ask_nets": c_int,
    "long_transform_new": c_void_p,
    "pitch_curves": c_int,
    "pitch_candidates": c_long,
    "find_peaks_of_rise": c_long,
    "fingerprint_pictures": c_int,
    "find_tones_in": c_long,
    "find_peaks": c_float,
}
