"""Bring the catalogue of translations up to date with the sources, and make what is read of it.

    python tools/catalogue.py [OTHER.po ...]

Every text that people read is looked for: in Python where `say`, `say_number`, `marked` or a help
text has it, in TypeScript and in the settings of the extension. A text that is new gets an empty
place in the catalogue, one that is gone loses its own. Translations that the catalogue lacks are
taken from the other catalogues named.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hatch_build import CATALOGUE, make_catalogue  # noqa: E402

# The calls whose arguments are texts, and which arguments: by place, or by name.
KEYWORDS: dict[str, tuple[int | str, ...]] = {
    "say": (0,),
    "say_number": (1, 2),
    "marked": (0,),
    "option": (1, "label"),
    "Action": (0,),
    "run_option": (0,),
    "heads": tuple(range(16)),
}
HEADER = "# The texts of rnn_magics in Chinese; `make catalogue` brings it up to date.\n#"


class Text(NamedTuple):
    """A text of the sources: its plural or "", its context or "", and where it stands."""

    text: str
    plural: str
    context: str
    file: str


def texts() -> list[Text]:
    """Return every text that people read, in the order of the files."""
    found: list[Text] = []
    for path in sorted((ROOT / "rnn_magics").rglob("*.py")):
        found += (Text(*pair, "", _name(path)) for pair in of_python(path.read_text("utf-8")))
    for path in sorted((ROOT / "labextension/src").rglob("*.ts")):
        found += (
            Text(text, "", "", _name(path)) for text in of_typescript(path.read_text("utf-8"))
        )
    found += of_registries()
    schema = ROOT / "labextension/schema/plugin.json"
    found += (Text(text, "", context, _name(schema)) for text, context in of_schema(schema))
    return found


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def of_python(source: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a module, each with its plural or ""."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        literals = [text for argument in arguments(node) if (text := literal(argument))]
        if called(node) == "say_number" and literals:
            yield literals[0], literals[1]
        else:
            yield from ((text, "") for text in literals)


def called(call: ast.Call) -> str:
    """Return the last part of the name of what is called; "" where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def arguments(call: ast.Call) -> list[ast.expr]:
    """Return the arguments of a call that are texts for people, by the list of such calls."""
    places = KEYWORDS.get(called(call), ())
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    found = [call.args[place] for place in places if place in range(len(call.args))]
    return found + [named[place] for place in places if place in named]


def literal(node: ast.expr) -> str:
    """Return a literal text; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def of_registries() -> Iterator[Text]:
    """Yield what is shown of docstrings, and the words for how a run stands or has ended."""
    from rnn_magics.inspection.doctor import CHECKS, why
    from rnn_magics.notebook.extension import MAGICS, load_magic
    from rnn_magics.training.endings import Ending

    for check in CHECKS.values():
        if text := why(check):
            yield Text(text, "", "", _home(check))
    for name in MAGICS:
        run = load_magic(name).run
        for paragraph in (inspect.getdoc(run) or "").split("\n\n"):
            if not is_code(paragraph):
                yield Text(paragraph, "", "", _home(run))
    for word in ("carried", "zero", "char", "word"):  # rules of a state, kinds of token
        yield Text(word, "", "", "rnn_magics/reports/texts.py")
    for state in ("training", "paused"):
        yield Text(state, "", "state", _home(Ending))


def is_code(paragraph: str) -> bool:
    """Tell whether a paragraph is an example without a word beside it."""
    lines = [line.strip() for line in paragraph.splitlines() if line.startswith("    ")]
    return paragraph == "::" or (bool(lines) and all("  " not in line for line in lines))


def _home(thing: Any) -> str:
    return thing.__module__.replace(".", "/") + ".py"


def of_typescript(source: str) -> Iterator[str]:
    """Yield the texts of a module."""
    calls = r"\b(?:trans\.__|say|marked)\(\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    for quoted in re.findall(rf"{calls}|\bwords: ('[^']+')", source):
        yield ast.literal_eval("".join(quoted))


def of_schema(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what JupyterLab translates of a schema of settings, each text with its context."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    for key in ("title", "description"):
        yield schema[key], "schema"
        yield from ((field[key], "settings") for field in schema["properties"].values())
    yield schema["jupyter.lab.setting-icon-label"], "settings"


def read(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale="zh_CN", ignore_obsolete=True)


def updated(*others: Catalog) -> Catalog:
    """Return a catalogue of the texts of the sources, with the translations that others have."""
    made = Catalog(locale="zh_CN", domain="rnn_magics", project="rnn_magics", header_comment=HEADER)
    for text, plural, context, file in texts():
        made.add((text, plural) if plural else text, locations=[(file, 0)], context=context or None)
    for message in made:
        message.flags.clear()  # no field is one of the operator %
        message.locations = sorted({(file, None) for file, _ in message.locations})
        if message.id:
            found = (other.get(_key(message.id), message.context) for other in others)
            said = next((chinese(old) for old in found if old and chinese(old)), "")
            message.string = said if isinstance(message.id, str) else (said,)
    return made


def chinese(message: Message) -> str:
    """Return the translation of a message; Chinese has one form for every number."""
    return message.string if isinstance(message.string, str) else message.string[0]


def _key(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def write(path: Path, catalogue: Catalog) -> None:
    """Write a catalogue, with nothing in it that changes when no text has changed."""
    body = BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, include_lineno=False)
    head = (
        f'{HEADER}\nmsgid ""\nmsgstr ""\n'
        '"Project-Id-Version: rnn_magics\\n"\n"Language: zh_CN\\n"\n'
        '"Plural-Forms: nplurals=1; plural=0;\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    path.write_text(head + body.getvalue().decode(), encoding="utf-8")


def main(others: list[str]) -> None:
    """Bring the catalogue up to date, and tell what it lacks."""
    path = ROOT / CATALOGUE
    made = updated(read(path), *(read(Path(other)) for other in others))
    write(path, made)
    make_catalogue(path)
    lacking = [message.id for message in made if message.id and not chinese(message)]
    print(f"{CATALOGUE}: {len(made)} texts, {len(lacking)} not translated")
    for text in lacking:
        print(f"  {text!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
