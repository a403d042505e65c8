"""The language of the interface: what a page tells, else what its settings or the shell say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from traitlets import TraitError

from rnn_magics import language
from rnn_magics.notebook.session.interface import interface_language
from rnn_magics.notebook.session.preferences import RNNMagics

SETTINGS = "@jupyterlab/translation-extension/plugin.jupyterlab-settings"
SAVED = """{
    // Language locale
    // "locale": "de_DE",
    "locale": "zh_CN"
}"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path))
    (tmp_path / SETTINGS).parent.mkdir(parents=True)
    return tmp_path / SETTINGS


@pytest.mark.parametrize("saved", [SAVED, '{"locale": "zh_CN"}', '{"a": 1, "locale" : "zh_CN"}'])
def test_a_notebook_speaks_what_jupyterlab_is_set_to(settings: Path, saved: str) -> None:
    settings.write_text(saved, encoding="utf-8")
    assert interface_language(has_notebook=True) == "zh_CN"
    assert interface_language(has_notebook=False) == "en"


@pytest.mark.parametrize(
    "saved", [b'{"locale": "default"}', b"{}", b"", b"\xff\xfe", b'{"locale": 1']
)
def test_settings_that_name_none_leave_it_to_the_shell(
    settings: Path, saved: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_bytes(saved)
    assert interface_language(has_notebook=True) == "en"
    monkeypatch.setenv("LANGUAGE", "zh_CN:en")
    assert interface_language(has_notebook=True) == "zh_CN"


def test_settings_that_cannot_be_read_leave_it_to_the_shell(settings: Path) -> None:
    settings.mkdir()
    assert interface_language(has_notebook=True) == "en"
    shutil.rmtree(settings.parent)
    assert interface_language(has_notebook=True) == "en"


@pytest.mark.parametrize(
    ("shell", "spoken"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN.UTF-8"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "C"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh:en"}, "zh"),
        ({}, "en"),
    ],
)
def test_a_terminal_speaks_the_language_of_its_shell(
    shell: dict[str, str], spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    assert interface_language(has_notebook=False) == spoken


def test_a_choice_wins_over_the_interface() -> None:
    preferences = RNNMagics()
    preferences.interface = "zh_CN"
    assert language.language() == "zh"
    preferences.language = "en"
    assert language.language() == "en"
    preferences.language = "auto"
    assert language.language() == "zh"
    preferences.interface = "en_US"
    assert language.language() == "en"
    preferences.language = "zh"
    assert language.language() == "zh"
    with pytest.raises(TraitError, match="'fr'"):
        preferences.language = "fr"
    assert language.language() == "zh"


def test_the_preferences_explain_themselves_in_the_language() -> None:
    assert "Show progress during training." in RNNMagics.class_get_help(RNNMagics())
    with language.speaking("zh"):
        assert "训练时显示进度。" in RNNMagics.class_get_help(RNNMagics())
