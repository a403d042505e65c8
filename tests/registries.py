"""The registries of the house, found in its source: what a test registers is gone after it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import rnn_magics

ROOT = Path(rnn_magics.__file__).parent


@cache
def registries() -> dict[str, dict[Any, Any]]:
    """Return every literal dict that a module names as a constant, by its full name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join((ROOT.name, *path.relative_to(ROOT).with_suffix("").parts))
        for name in constant_dicts(ast.parse(path.read_text(encoding="utf-8"))):
            found[f"{module}.{name}"] = getattr(import_module(module), name)
    return found


def constant_dicts(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id[0] != "_" and target.id.isupper():
                yield target.id


@contextmanager
def as_they_were(registries: Mapping[str, dict[Any, Any]]) -> Iterator[None]:
    """Restore the entries of all registries, and their order."""
    before = {name: list(registry.items()) for name, registry in registries.items()}
    yield
    for name, registry in registries.items():
        if list(registry.items()) != before[name]:
            registry.clear()
            registry.update(before[name])
