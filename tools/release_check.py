"""Check what would be published: build it, look into it, install it into empty environments.

    python tools/release_check.py [--lowest] [PYTHON ...]

A source distribution is built, and a wheel of that, as pip does. Both are checked by twine; the
wheel by check-wheel-contents; neither may hold a file that does not belong there or be too large.
The wheel is then installed into an empty environment of each Python named, or of each that is found
on PATH or kept by pyenv, and the tests of the library's lowest rooms run there against what was
installed. With `--lowest`, the dependencies have the lowest versions that `pyproject.toml` allows,
where these have wheels.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
MOST_BYTES = 1_500_000
BUILT = (
    "rnn_magics/labextension/",
    "rnn_magics/notebook/widgets/static/",
    "rnn_magics/handout/static/",
    "rnn_magics/locale/",
)
KINDS = {
    *(".css", ".html", ".ipynb", ".js", ".json", ".mo", ".po", ".py", ".pyi", ".svg", ".typed"),
}
# What JupyterLab's builder leaves of the settings, and what a build of ours knows itself by.
ALSO_BUILT = ("/package.json.orig", "/.source-sha256")
LESSONS = "share/jupyter/labextensions/rnn-magics/lessons"
URLS = ("Homepage", "Source", "Changelog")  # which only those who publish can know
# What needs neither a kernel nor a page, nor the repository around it.
TESTS = ("tests/text", "tests/test_digits.py", "tests/test_errors.py", "tests/test_tables.py")
TESTED_WITH = ("babel", "hatchling", "hypothesis", "pytest", "pytest-randomly", "pytest-timeout")
EXTRAS = ("bpe", "chinese", "pandas")  # what these tests cannot do without
# Older ones have no small build for the CPU on a package index.
NOT_LOWERED = {"torch"}


class CheckError(Exception):
    """Something that must not be published."""


def said(command: list[str], **options: object) -> str:
    """Run a command and return what it prints; raise what it printed if it fails."""
    done = subprocess.run(  # type: ignore[call-overload]
        command, capture_output=True, text=True, check=False, **options
    )
    if done.returncode != 0:
        shown = " ".join(command)
        msg = f"{shown}\n{done.stdout}{done.stderr}"
        raise CheckError(msg)
    return str(done.stdout)


def build(folder: Path) -> tuple[Path, Path]:
    """Return a source distribution, and a wheel that was made of it."""
    hatch = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    said([*hatch, "-t", "sdist"], cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    said([*hatch, "-t", "wheel"], cwd=source)
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def sdist_files(path: Path) -> list[str]:
    """Return the files of a source distribution, relative to its folder."""
    with tarfile.open(path) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
    return [name.partition("/")[2] for name in names]


def wheel_files(path: Path) -> list[str]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def strays_of_sdist(names: Iterable[str], tracked: set[str]) -> list[str]:
    """Return the files that are neither tracked by git nor made by the build."""
    return [
        name for name in names if name not in tracked | {"PKG-INFO"} and not name.startswith(BUILT)
    ]


def strays_of_wheel(names: Iterable[str]) -> list[str]:
    """Return the files that are no part of the package, of its extension or of its metadata."""
    strays = []
    for name in (each for each in names if not each.endswith(ALSO_BUILT)):
        path = PurePosixPath(name)
        top = path.parts[0]
        in_place = top == "rnn_magics" or top.endswith((".dist-info", ".data"))
        known = top.endswith(".dist-info") or path.suffix in KINDS or ".LICENSE" in path.name
        hidden = any(part.startswith((".", "__pycache__")) for part in path.parts)
        if hidden or not (in_place and known):
            strays.append(name)
    return strays


def too_large(sizes: dict[str, int]) -> list[str]:
    """Return what is larger than a release should be, in words."""
    return [
        f"{name}: {size:,} bytes, more than {MOST_BYTES:,}"
        for name, size in sizes.items()
        if size > MOST_BYTES
    ]


def asked_for() -> set[str]:
    """Return the files that the launcher fetches, as the extension lists them."""
    source = (ROOT / "labextension/src/lab/begin/lessons.ts").read_text(encoding="utf-8")
    return set(re.findall(r"'(\w+\.(?:ipynb|py))'", source))


def missing_lessons(names: Iterable[str]) -> set[str]:
    """Return the lessons that the launcher asks for and a wheel does not have."""
    shipped = {PurePosixPath(name).name for name in names if f"/{LESSONS}/" in name}
    return asked_for() - shipped


def lowest(requirements: Iterable[str]) -> list[str]:
    """Return pins of the lowest versions that requirements allow."""
    pins = []
    for line in requirements:
        each = Requirement(line)
        (bound,) = (part.version for part in each.specifier if part.operator == ">=")
        if each.name not in NOT_LOWERED:
            pins.append(f"{each.name}=={bound}")
    return pins


def with_wheels(python: Path, pins: list[str]) -> list[str]:
    """Return the pins of which there is a wheel for a Python."""
    asked = [str(python), "-m", "pip", "install", "--dry-run", "--no-deps", "--quiet"]
    kept = []
    for pin in pins:
        try:
            said([*asked, "--ignore-installed", "--only-binary=:all:", pin])
        except CheckError:
            print(f"    {pin}: no wheel, not lowered")
            continue
        kept.append(pin)
    return kept


def constraints(python: Path, *, low: bool) -> str:
    """Return the versions with which to install."""
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    if not low:
        return pinned
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = with_wheels(python, lowest(project["dependencies"]))
    held = {re.split("==", line)[0] for line in pinned.splitlines() if "==" in line}
    only = [*TESTED_WITH, *(NOT_LOWERED & held)]
    return "\n".join(
        [*pins, *(line for line in pinned.splitlines() if line.split("==")[0] in only)]
    )


def install(python: str, wheel: Path, folder: Path, *, low: bool) -> Path:
    """Install a wheel into an empty environment and return its Python."""
    said([python, "-m", "venv", str(folder)])
    made = folder / "bin" / "python"
    if not made.exists():
        made = folder / "Scripts" / "python.exe"
    limits = folder / "constraints.txt"
    limits.write_text(constraints(made, low=low), encoding="utf-8")
    pip = [str(made), "-m", "pip"]
    asked = [f"{wheel}[{','.join(EXTRAS)}]", *TESTED_WITH]
    said([*pip, "install", "--quiet", *asked, "--constraint", str(limits)])
    said([*pip, "check"])
    return made


def check_installed(python: Path, folder: Path, *, low: bool = False) -> str:
    """Look for the extension and its lessons, run the tests, and return their last line."""
    # `jupyter` looks for its commands on PATH, where another environment may come first.
    environment = {name: kept for name, kept in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    listed = subprocess.run(
        [str(python), "-m", "jupyter", "labextension", "list"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if not re.search(r"rnn-magics v\S+ .*enabled.*OK", listed.stdout + listed.stderr):
        msg = f"JupyterLab does not find the extension:\n{listed.stdout}{listed.stderr}"
        raise CheckError(msg)
    prefix = Path(said([str(python), "-c", "import sys; print(sys.prefix)"]).strip())
    if lost := {name for name in asked_for() if not (prefix / LESSONS / name).is_file()}:
        msg = f"the launcher does not find {sorted(lost)}"
        raise CheckError(msg)
    place = folder / "tests-of-it"
    for name in (*TESTS, "tests/*.py", "hatch_build.py", "pyproject.toml", BUILT[-1]):
        for path in ROOT.glob(name):
            target = place / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, target)  # type: ignore[operator]
    # Old versions use what newer ones of other packages deprecate; that is for their users to know.
    more = ["-W", "ignore::DeprecationWarning"] if low else []
    out = said([str(python), "-m", "pytest", "-q", *more, *TESTS], cwd=place, env=environment)
    return out.rstrip().rpartition("\n")[2]


def pythons(named: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the version and the path of each Python to install into."""
    for name in named or [f"python{version}" for version in PYTHONS]:
        for path in (shutil.which(name) or name, *of_pyenv(name)):
            with suppress(CheckError, OSError):
                ask = "import platform; print(platform.python_version())"
                yield said([path, "-c", ask]).strip(), path
                break
        else:
            print(f"  {name}: not on this machine")


def of_pyenv(name: str) -> list[str]:
    """Return the Pythons of a name that pyenv keeps; PATH has only those it was told to use."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    version = name.removeprefix("python")
    return [str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/{name}"))]


def check(named: list[str], *, low: bool) -> None:
    """Build and check everything; raise `CheckError` where something must not be published."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist, wheel = build(folder)
        sizes = {path.name: path.stat().st_size for path in (sdist, wheel)}
        for path, size in sizes.items():
            print(f"  {path}: {size:,} bytes")
        tracked = set(said(["git", "ls-files", "-z"], cwd=ROOT).split("\0"))
        found = too_large(sizes)
        found += [f"{sdist.name}: {each}" for each in strays_of_sdist(sdist_files(sdist), tracked)]
        found += [f"{wheel.name}: {each}" for each in strays_of_wheel(wheel_files(wheel))]
        found += [f"{wheel.name} lacks {each}" for each in missing_lessons(wheel_files(wheel))]
        if found:
            raise CheckError("\n".join(found))
        said([sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)])
        said([sys.executable, "-m", "check_wheel_contents", str(wheel)])
        print("  twine, check-wheel-contents, files, sizes and lessons: nothing found")
        tried = 0
        for version, path in pythons(named):
            made = install(path, wheel, folder / version, low=low)
            print(f"  Python {version}: {check_installed(made, folder / version, low=low)}")
            shutil.rmtree(folder / version)  # an environment may take gigabytes
            tried += 1
        if not tried:
            msg = "no Python to install into: name one"
            raise CheckError(msg)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if lacking := [each for each in URLS if each not in project["urls"]]:
        print(f"  before you publish: add {', '.join(lacking)} to [project.urls]")


def main(arguments: list[str]) -> int:
    """Check a release; return 1 if it must not be published."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("python", nargs="*", help="a Python to install into, such as python3.12")
    parser.add_argument("--lowest", action="store_true", help="with the lowest versions allowed")
    typed = parser.parse_args(arguments)
    try:
        check(typed.python, low=typed.lowest)
    except CheckError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
