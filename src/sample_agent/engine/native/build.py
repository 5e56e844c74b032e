"""Compiles the kernel, with whatever C compiler is there.

    python src/sample_agent/engine/native/build.py [--quiet]

The build of the package calls it, too. What cffi has to know of the functions is written beside the library. It does
nothing when both were made from the same sources by the same rules, and says so in a word when there is no compiler:
then the engine works in NumPy.
"""

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "_kernel.so"
DECLARATIONS = FOLDER / "_kernel_functions.py"
STAMP = FOLDER / "_kernel.sources"

FLAGS = ("-O3", "-std=gnu11", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
"""Nothing that depends on the machine that compiles, and nothing that lets NaN or the order of sums go."""
ATTEMPTS = (("-DCLONES", "-Wno-psabi"), ("-Wno-psabi",), ())
"""With functions in two versions where the compiler can; without, where it cannot."""


def build() -> bool | None:
    """Bring the library up to date: True when it was made, False when it was there, None when it cannot be made."""
    digest = digest_of_sources()
    if LIBRARY.is_file() and DECLARATIONS.is_file() and STAMP.is_file() and STAMP.read_text() == digest:
        return False
    fresh = LIBRARY.with_name(f"_kernel.{os.getpid()}.new")
    try:
        made = any(compiled(extra, fresh) for extra in ATTEMPTS)
        if made:
            # In one step: a program that runs keeps the library it has loaded.
            fresh.replace(LIBRARY)
            declare()
            STAMP.write_text(digest)
        else:
            # One of other sources is worse than none.
            LIBRARY.unlink(missing_ok=True)
        return True if made else None
    finally:
        fresh.unlink(missing_ok=True)


def compiled(extra: tuple[str, ...], to: Path) -> bool:
    """Whether the sources could be compiled and linked, and loaded again."""
    compiler = command()
    if not compiler:
        return False
    sources = [str(path) for path in sorted(FOLDER.glob("*.c"))]
    try:
        subprocess.run([*compiler, *FLAGS, *extra, "-o", str(to), *sources, "-lm"], capture_output=True, check=True)
        # In another process: what the compiler made may not run here.
        test = f"import ctypes; ctypes.CDLL({str(to)!r}).kernel_version()"
        subprocess.run([sys.executable, "-c", test], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def declare() -> None:
    """Write down what functions.h declares, read once, for cffi to load without a parser."""
    from cffi import FFI

    interface = FFI()
    interface.cdef((FOLDER / "functions.h").read_text())
    interface.set_source(f"sample_agent.engine.native.{DECLARATIONS.stem}", None, compiler_verbose=0)
    interface.emit_python_code(str(DECLARATIONS))


def command() -> list[str]:
    """The C compiler: $CC, or what the system calls cc, gcc or clang; empty without one."""
    named = shlex.split(os.environ.get("CC", ""))
    found = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    return named or ([found] if found else [])


def digest_of_sources() -> str:
    """A digest of the sources, the flags and the kind of machine."""
    digest = hashlib.sha256(f"{FLAGS}{ATTEMPTS}{platform.system()}{platform.machine()}".encode())
    for path in sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Build by hand."""
    made = build()
    words = {True: "is built", False: "is up to date", None: "cannot be built: no C compiler that knows it"}
    if "--quiet" not in sys.argv[1:]:
        sys.stdout.write(f"The kernel {words[made]}.\n")


if __name__ == "__main__":
    main()
