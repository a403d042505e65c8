"""What CONTRIBUTING.md says of adding something, read as what is to be done.

The first line of a block names a file, and how the rest comes into it: as all of a new file, above
the first line that begins with some words, or as the last entry of a literal that has a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SECTION = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```\w+\n(?:#|//|<!--) (.+?)(?: -->)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """What is put into one file.

    Parameters
    ----------
    file
        Its path in the repository.
    how
        ``above`` or ``in``; empty for a new file.
    place
        The words above which it is put, or the name of the literal that it is put in.
    text
        What is put there.
    """

    file: str
    how: str
    place: str
    text: str

    def apply(self, root: Path) -> None:
        """Put it into its file, which must have the place, once and for all."""
        path = root / self.file
        if not self.how:
            assert not path.exists(), f"{self.file} is there already"
            path.write_text(self.text, encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        at = self._line(lines)
        gap = "\n\n" if self.text.startswith(("class ", "def ")) else ""
        lines.insert(at, self.text + gap)
        path.write_text("".join(lines), encoding="utf-8")

    def _line(self, lines: list[str]) -> int:
        found = [at for at, line in enumerate(lines) if line.lstrip().startswith(self.place)]
        assert found, f"{self.file} has no line that begins with {self.place!r}"
        if self.how == "above":
            return found[0]
        return next(at for at in range(found[0], len(lines)) if lines[at].startswith("}"))


def recipes() -> dict[str, list[Block]]:
    """Return the blocks of every section of CONTRIBUTING.md that has some."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = {
        title: list(map(_block, _BLOCK.findall(body))) for title, body in _SECTION.findall(text)
    }
    return {title: blocks for title, blocks in found.items() if blocks}


def _block(found: tuple[str, str]) -> Block:
    head, text = found
    file, _, rest = head.partition(", ")
    how, _, place = rest.partition(" ")
    assert how in {"", "above", "in"}, head
    return Block(file, how, place, text)
