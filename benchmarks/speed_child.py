"""One program's turn in engine_speed.py: analyses lists of files and says how much processor time each list took.

    python speed_child.py PROGRAM < {"list": ["file", …], …} > {"list": [cpu seconds, audio seconds, failures], …}

PROGRAM is a function of this file. Runs in the environment that has the program. The first file of every list but
those of tracks is analysed once before the clock starts, so that caches are full and code is compiled.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

Analyze = Callable[[str], object]


def ours() -> Analyze:
    from sample_agent.engine import analyze_file

    return lambda path: analyze_file(path).to_dict()


def bound() -> Analyze:
    """Decoding, downmix and the two transforms, without which there is no analysis."""
    import numpy as np
    import scipy.fft

    from sample_agent.engine.decoding.decode import open_audio

    def transform(path: str) -> None:
        held = {2048: np.zeros(1024, np.float32), 16384: np.zeros(8192, np.float32)}
        with open_audio(path) as stream:
            for block in stream.blocks():
                mono = (block[:, 0] + block[:, 1]) * np.float32(0.5) if block.shape[1] == 2 else block.mean(axis=1)
                for size, hop in ((2048, 512), (16384, 8192)):
                    samples = np.concatenate((held[size], mono))
                    if len(samples) < size:
                        held[size] = samples
                        continue
                    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
                    held[size] = samples[len(frames) * hop :]
                    for start in range(0, len(frames), 64):
                        scipy.fft.rfft(frames[start : start + 64], axis=1)

    return transform


def librosa_recipe() -> Analyze:
    sys.path.insert(0, str(Path(__file__).parent))
    from librosa_recipe import analyze

    return analyze


def essentia_music() -> Analyze:
    import essentia
    import essentia.standard

    essentia.log.infoActive = essentia.log.warningActive = False
    # One statistic of each descriptor, as the others give.
    one = {"lowlevelStats": ["mean"], "rhythmStats": ["mean"], "tonalStats": ["mean"]}
    extractor: Analyze = essentia.standard.MusicExtractor(**one)
    return extractor


def sonara_playlist() -> Analyze:
    import sonara

    return lambda path: sonara.analyze_file(path, mode="playlist")


def sonara_compact() -> Analyze:
    import sonara

    return lambda path: sonara.analyze_file(path, mode="compact")


def aubio_set() -> Analyze:
    """Tempo, onsets and the timbre that aubio has; no key, no loudness after BS.1770."""
    import aubio

    shapes = ("centroid", "spread", "rolloff")

    def analyze(path: str) -> object:
        source = aubio.source(path, 0, 512)
        rate = source.samplerate
        tempo, onset = aubio.tempo("default", 1024, 512, rate), aubio.onset("default", 1024, 512, rate)
        vocoder, coefficients = aubio.pvoc(2048, 512), aubio.mfcc(2048, 40, 13, rate)
        described = [aubio.specdesc(shape, 2048) for shape in shapes]
        rows = []
        read = 512
        while read == 512:
            samples, read = source()
            tempo(samples)
            onset(samples)
            spectrum = vocoder(samples)
            row = [float(describe(spectrum)[0]) for describe in described]
            rows.append((*row, *coefficients(spectrum), aubio.zero_crossing_rate(samples)))
        return tempo.get_bpm(), len(rows)

    return analyze


PROGRAMS: dict[str, Callable[[], Analyze]] = {
    "ours": ours,
    "bound": bound,
    "librosa": librosa_recipe,
    "essentia": essentia_music,
    "aubio": aubio_set,
    "sonara": sonara_playlist,
    "sonara-small": sonara_compact,
}


def main() -> None:
    warnings.simplefilter("ignore")
    started = time.perf_counter(), time.process_time()
    analyze = PROGRAMS[sys.argv[1]]()
    lists = json.load(sys.stdin)
    report: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for name, files in lists.items():
            if not name.startswith("track"):
                # Long files need no warming up: shorter ones of the same encoding went before.
                attempt(analyze, files[0])
            if not report:
                report["first_seconds"] = time.perf_counter() - started[0]
                report["first_cpu"] = time.process_time() - started[1]
            before = time.process_time()
            failures = sum(attempt(analyze, file) for file in files)
            report[name] = [time.process_time() - before, failures]
    report["peak_mib"] = peak_mib()
    print(json.dumps(report))


def peak_mib() -> float:
    """Most memory this process has had. Not from getrusage, which counts what was before the program was loaded."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def attempt(analyze: Analyze, file: str) -> int:
    """1 when the program cannot analyse the file."""
    try:
        analyze(file)
    except Exception:
        return 1
    return 0


if __name__ == "__main__":
    main()
