"""Run every benchmark and write the table into docs/performance.md (``make bench``).

    python benchmarks/bench.py [--quick] [--only training generation]

Each benchmark runs in its own process, one after the other. Its table replaces the text between its
two marks in the page. With ``--only``, the other sections stay as they are. Where a table says most
of the CPU, there is one for each kind of CPU, and those of others stay, with their date. On a CPU
without AVX-512 the section `avx2`, which limits another CPU to AVX2, is left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import avx2

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
SECTIONS = {  # the title and the command
    "training": ("Training on the CPU", ["training.py"]),
    "avx2": ("Training on the CPU, limited to AVX2", ["training.py", "--avx2"]),
    "generation": ("Generation", ["generation.py"]),
    "text": ("Text", ["text.py"]),
    "linear": ("Text, up to one gigabyte", ["text.py", "--linear"]),
    "ngrams": ("N-gram models", ["ngrams.py"]),
    "notebook": ("The notebook", ["notebook.py"]),
    "drawing": ("An update that is drawn", ["drawing.py"]),
    "page": ("A model in a page", ["page.py"]),
    "gpu": ("Training on CUDA", ["gpu.py"]),
    "quality": ("Time to quality", ["quality.py"]),
}
EACH_CPU = ("training", "avx2", "generation", "notebook")  # a table for each kind of CPU
PACKAGES = ("torch", "numba", "numpy", "ipykernel", "d2l")


def processor() -> str:
    """Return the name of the processor, as far as the system reports it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def marked(name: str) -> str:
    """Return what the marks of a section say: its name, and for some the kind of CPU."""
    if name not in EACH_CPU:
        return name
    words = re.sub(r"\(\w+\)|processor|cpu", "", processor(), flags=re.IGNORECASE)
    narrow = "" if avx2.has_more() else ", AVX2"  # a cloud gives the same name to many CPUs
    return f"{name}, {' '.join(words.split())}{narrow}"


def circumstances(packages: Iterable[str] = PACKAGES) -> str:
    """Return the line with the date, the machine and the versions of some packages."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    load = (
        f", load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    )
    return (
        f"Measured {dt.datetime.now(tz=dt.UTC):%Y-%m-%d} on {processor()}, {os.cpu_count()} cores"
        f"{load}; Python {platform.python_version()}, {versions}."
    )


def section(name: str, *, quick: bool) -> str:
    """Run one benchmark and return its section.

    Raises
    ------
    SystemExit
        If the benchmark fails.
    """
    print(f"{name} ...", flush=True)
    script, *flags = SECTIONS[name][1]
    command = [sys.executable, str(HERE / script), *flags, *["--quick"] * quick]
    about = circumstances()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{name} failed; {PAGE.name} is unchanged")
    return f"{about}\n\n{done.stdout.strip()}\n"


def replaced(page: str, name: str, text: str) -> str:
    """Return the page with the section of a benchmark replaced, or added at the end."""
    begin, end = (f"<!-- {marked(name)}: {word} -->" for word in ("begin", "end"))
    block = f"{begin}\n\n{text}\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(page):
        return pattern.sub(lambda _: block, page)
    if other := re.search(f"<!-- {name}, .*: begin -->", page):  # of another kind of CPU
        return f"{page[: other.start()]}{block}\n\n{page[other.start() :]}"
    return f"{page.rstrip()}\n\n## {SECTIONS[name][0]}\n\n{block}\n"


def main() -> None:
    """Run the benchmarks and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check that all run; write nothing")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    given = parser.parse_args()
    for name in given.only:
        if name == "avx2" and not avx2.has_more():
            print("avx2: this CPU has nothing wider, so `training` measures the same")
            continue
        text = section(name, quick=given.quick)
        print(text, flush=True)
        if not given.quick:
            PAGE.write_text(replaced(PAGE.read_text(), name, text))


if __name__ == "__main__":
    main()
