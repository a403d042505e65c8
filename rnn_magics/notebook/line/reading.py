"""The options of every magic that reads texts, and the library call behind each text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnn_magics.errors import ConfigError, SessionError
from rnn_magics.language import marked, say
from rnn_magics.notebook.line.call import Call, variable
from rnn_magics.notebook.line.options import LineOptions, flag_of, named, new_name, part, word
from rnn_magics.notebook.line.words import names_of
from rnn_magics.options import Options, describe, did_you_mean, option
from rnn_magics.text.corpus import DEFAULT_SOURCE, Corpus, CorpusConfig
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.formats.hub import is_hub
from rnn_magics.text.reading.download import DownloadConfig
from rnn_magics.text.reading.sources import BUILTINS, is_url
from rnn_magics.text.series.levels import Levels, LevelsConfig
from rnn_magics.text.series.read import read_series
from rnn_magics.text.tasks.made_up import PREFIX, task_corpus
from rnn_magics.text.tasks.rules import TASKS
from rnn_magics.text.tasks.stream import TaskConfig


def _tasks() -> list[str]:
    return [f"{PREFIX}{name}" for name in TASKS]


@dataclass(frozen=True, kw_only=True, repr=False)
class ReadingOptions(LineOptions):
    """The options of a magic that reads texts."""

    source: tuple[str, ...] = option(
        (),
        lambda: say(
            "built-in: {known} (default {default}); several are joined; a name in %%corpus;"
            " made up: {tasks}",
            known=", ".join(BUILTINS),
            default=DEFAULT_SOURCE,
            tasks=", ".join(_tasks()),
        ),
        spelling=word(
            metavar="NAME|PATH|FOLDER|URL|hf:NAME", suggest=lambda: [*BUILTINS, *_tasks()]
        ),
        label="Text",
    )
    data: str | None = option(
        None,
        "a variable with text, a list of lines, records or a table (--field), or tokens; with"
        " --levels, numbers",
        spelling=named(metavar="NAME", suggest="variables"),
        label="Variable",
    )
    as_tokens: bool = option(
        False, "read a list of strings in --data as tokens", label="The variable holds tokens"
    )
    encoding: str | None = option(
        None,
        "encoding of files and downloads (default UTF-8)",
        spelling=named(metavar="NAME"),
        label="Encoding",
    )
    storage: str | None = option(
        None,
        "leave files on disk, and keep their token indices in this folder, which all workers of"
        " %vocab --workers see",
        spelling=named(metavar="DIR"),
        label="Folder of the token indices",
    )
    name: str | None = option(
        None,
        "name of the text in listings",
        spelling=new_name(metavar="NAME"),
        label="Name of the text",
    )
    files: FileConfig = part(FileConfig)
    cleaning: CorpusConfig = part(CorpusConfig)
    download: DownloadConfig = part(DownloadConfig)
    series: LevelsConfig = part(LevelsConfig)
    task: TaskConfig = part(TaskConfig)

    @property
    def has_text(self) -> bool:
        """Whether the line, or the cell, says which text is read."""
        return bool(self.source) or self.data is not None or self.line.cell is not None

    @property
    def typed_for_a_text(self) -> list[str]:
        """The flags that were typed and say how a text is read."""
        own = [field.name for field in describe(ReadingOptions) if field.flag]
        options = (FileConfig, CorpusConfig, DownloadConfig, LevelsConfig, TaskConfig)
        parts = [field.name for each in options for field in describe(each)]
        typed = [name for name in (*own, *parts) if name in self.line.typed - {"explain"}]
        return [flag_of(ReadingOptions, name) for name in typed]


def reading_call(
    options: ReadingOptions,
    sources: Sequence[str],
    cleaning: CorpusConfig,
    encoding: str | None,
    files: FileConfig,
    result: str = "corpus",
    levels: Levels | None = None,
) -> Call[Corpus]:
    """Return the library call that reads one text.

    Parameters
    ----------
    options
        What was typed.
    sources, cleaning, encoding, files
        The sources that become the text, and how they are read.
    result
        The name of the variable that the text is assigned to.
    levels
        The levels of a run, in which ``--data`` is read as a series of numbers; by default those
        that were typed, if they were.

    Raises
    ------
    ConfigError
        If an option has no effect together with the others.
    SessionError
        If the variable does not exist.
    """
    _refuse_useless(options, sources)
    cell, name = options.line.cell, options.name
    if cell is not None:
        title = name or " ".join(sources) or "cell"
        return Call.of(result, Corpus.from_text, cell, cleaning, name=title, origin="cell")
    if options.data is not None:
        data = variable(options.data, looked_up(options.data, options.line.variables))
        name = name or options.data
        into = levels or (options.series if options.series.levels else None)
        if into is not None:
            return Call.of(result, read_series, data, into, cleaning, name=name)
        if options.as_tokens:
            return Call.of(result, Corpus.from_tokens, data, cleaning, name=name)
        field = options.files.field
        return Call.of(result, Corpus.from_data, data, cleaning, name=name, field=field)
    if sources and _is_task(sources[0]):
        task = sources[0].removeprefix(PREFIX)
        cleaning = replace(cleaning, seed=None)  # --seed draws the examples
        return Call.of(result, task_corpus, task, options.task, cleaning, name=name)
    several = list(sources) or DEFAULT_SOURCE
    return Call.of(
        result,
        Corpus.load,
        sources[0] if len(sources) == 1 else several,
        cleaning,
        encoding=encoding,
        name=name,
        download=options.download,
        files=files,
        storage=options.storage,
    )


def looked_up(name: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of a variable.

    Raises
    ------
    SessionError
        If the variable does not exist.
    """
    if name not in variables:
        msg = say(
            "the notebook has no variable {name!r}{near}",
            name=name,
            near=did_you_mean(name, names_of(variables)),
        )
        raise SessionError(msg)
    return variables[name]


_OF_A_TASK = marked("{option} is for made-up tasks, such as {task}; leave it out")
_OF_TASKS = {"--seed": marked("--seed is for --documents and made-up tasks; leave it out")}


def _refuse_useless(options: ReadingOptions, sources: Sequence[str]) -> None:
    # Refuse an option that would have no effect.
    msg, is_cell, has_data = "", options.line.cell is not None, options.data is not None
    made_up = [] if is_cell else [*filter(_is_task, sources)]
    if is_cell and has_data:
        msg = say("the body of the cell is the text; leave --data out, or begin with one %")
    elif has_data and options.source:
        first = options.source[0]
        msg = say("--data already says where the text comes from; leave {first!r} out", first=first)
    elif options.as_tokens and not has_data:
        msg = say("--as-tokens needs --data NAME; add that, or leave --as-tokens out")
    elif (is_cell or has_data or made_up) and (flag := _of_files(options)):
        msg = say("{option} is for files and downloads; leave it out", option=flag)
    elif made_up and len(sources) > 1:
        msg = say("{task!r} is a text of its own; name it alone", task=made_up[0])
    elif not any(map(_is_task, options.source)) and (typed := _typed_of(TaskConfig, options)):
        msg = say(_OF_TASKS.get(typed, _OF_A_TASK), option=typed, task=_tasks()[0])
    elif wrong := _wrong_data(options):
        msg = wrong
    elif limit := _useless_limit(options):
        msg = say(
            "{option} is for downloads; leave it out, or name an http:// or https:// address",
            option=limit,
        )
    if msg:
        raise ConfigError(msg)


def _of_files(options: ReadingOptions) -> str:
    # An option that says how files are read; the field is one of records in a variable, too.
    files = [each for each in describe(FileConfig) if each.name in options.line.typed]
    flags = [each.flag for each in files if each.name != "field" or options.data is None]
    own = ["--encoding"] * (options.encoding is not None)
    own += ["--storage"] * (options.storage is not None)
    return next(iter(own + flags), "")


def _useless_limit(options: ReadingOptions) -> str:
    # A download option, when nothing is downloaded.
    if options.line.cell is None and any(is_url(each) or is_hub(each) for each in options.source):
        return ""
    return _typed_of(DownloadConfig, options)


def _wrong_data(options: ReadingOptions) -> str:
    if (options.as_tokens or options.series.levels) and options.files.field is not None:
        return say(
            "--field is the text of records; for tokens or numbers, name a sequence of them and"
            " leave it out"
        )
    if options.series.levels is None:
        typed = _typed_of(LevelsConfig, options)
        return typed and say(
            "{option} says how levels are cut; add --levels 20, or leave {option} out", option=typed
        )
    if options.data is None:
        return say("--levels reads a variable as a series of numbers; name it with --data")
    if options.as_tokens:
        return say("--as-tokens and --levels exclude each other; leave one of them out")
    return ""


def _is_task(source: str) -> bool:
    return source.startswith(PREFIX)


def _typed_of(part_of_line: type[Options], options: ReadingOptions) -> str:
    # The first flag of a part that was typed; empty if none was. That of documents is no task's.
    names = options.line.typed - ({"seed"} if options.cleaning.documents else set())
    return next((f.flag for f in describe(part_of_line) if f.name in names), "")
