"""The versions that are asked for are those of `docs/versions.md`, and SPEC 0 allows them."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import rnn_magics
from tools.release_check import PYTHONS

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIRED = [Requirement(line) for line in PROJECT["dependencies"]]
OPTIONAL = [
    Requirement(line) for extra in PROJECT["optional-dependencies"].values() for line in extra
]
YEARS = {"Python": 3}  # SPEC 0 names the others as core packages, with two


def row(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def table() -> dict[str, tuple[str, str]]:
    """Return the lower bound and the month of each package."""
    lines = (ROOT / "docs/versions.md").read_text(encoding="utf-8").splitlines()
    rows = [row(line) for line in lines if line.startswith("|")][2:]
    return {name: (least, month) for name, least, month, _ in rows}


def least(requirement: Requirement) -> str:
    (bound,) = (each.version for each in requirement.specifier if each.operator == ">=")
    return bound


def released() -> date:
    """Return the day of the newest release that the changelog dates."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    match = re.search(r"^## [\d.]+ \((\d{4})-(\d\d)-(\d\d)\)$", text, re.MULTILINE)
    assert match is not None
    year, month, day = match.groups()
    return date(int(year), int(month), int(day))


def age(month: str, day: date) -> float:
    """Return how many years have passed since a month."""
    year, number = map(int, month.split("-"))
    return day.year - year + (day.month - number) / 12


def too_young(rows: dict[str, tuple[str, str]], day: date) -> list[str]:
    return [
        name for name, (_, month) in rows.items() if month and age(month, day) < YEARS.get(name, 2)
    ]


def test_the_table_has_the_bounds_of_the_project() -> None:
    stated = {name: bound for name, (bound, _) in table().items()}
    core = [each for each in OPTIONAL if each.name == "pandas"]
    asked = {each.name: least(each) for each in [*REQUIRED, *core]}
    assert stated == {**asked, "Python": PROJECT["requires-python"].removeprefix(">=")}


def test_nobody_is_asked_for_more_than_spec_0_allows() -> None:
    rows = table()
    assert {"Python", "numpy", "matplotlib", "ipython", "pandas"} == {
        name for name, (_, month) in rows.items() if month
    }
    assert too_young(rows, released()) == []
    # On an earlier day, some would have been too young.
    assert too_young(rows, date(2025, 9, 1)) == ["Python", "ipython"]
    assert too_young(rows, date(2025, 10, 1)) == ["ipython"]


def test_the_pythons_that_are_named_are_those_that_are_checked() -> None:
    named = [
        last
        for line in PROJECT["classifiers"]
        if re.fullmatch(r"3\.\d+", last := line.rpartition(" ")[2])
    ]
    assert f"**Python**: {named[0]} to {named[-1]}." in (ROOT / "docs/versions.md").read_text(
        "utf-8"
    )
    assert list(PYTHONS) == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_one_version_stands_everywhere() -> None:
    version = rnn_magics.__version__
    package = json.loads((ROOT / "labextension/package.json").read_text("utf-8"))
    assert package["version"] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"rnn_magics-{version}-py3" in (ROOT / "docs/install.md").read_text("utf-8")
    newest = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_nothing_has_an_upper_bound() -> None:
    bounds = {part.operator for each in REQUIRED for part in each.specifier}
    assert bounds <= {">=", "!="}


@pytest.mark.parametrize("requirement", [*REQUIRED, *OPTIONAL], ids=str)
def test_what_the_tests_use_is_allowed(requirement: Requirement) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    same = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    pinned = same.get(requirement.name.lower().replace("_", "-"))
    if pinned is None:
        assert requirement.name in ("datasets", "soupsieve")  # not in the environment of the tests
    else:
        assert requirement.specifier.contains(pinned)
