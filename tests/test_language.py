"""Everything is said in the language that is spoken."""

from __future__ import annotations

import pytest

from rnn_magics import language
from rnn_magics.handout.script import _too_long
from rnn_magics.language import marked, say, say_number, speak, speaking


@pytest.mark.parametrize("name", ["zh", "zh_CN", "zh-CN", "zh_CN.UTF-8", "ZH"])
def test_every_name_of_a_locale_of_chinese_is_chinese(name: str) -> None:
    speak(name)
    assert language.language() == "zh"
    assert say("paused") == "已暂停"


@pytest.mark.parametrize("name", ["en", "en_US.UTF-8", "de_DE", "C", "C.UTF-8", "", "zha"])
def test_any_other_language_is_english(name: str) -> None:
    speak("zh")
    speak(name)
    assert language.language() == "en"
    assert say("paused") == "paused"


def test_a_language_is_spoken_inside_a_block() -> None:
    with speaking("zh"):
        assert say("paused") == "已暂停"
    assert say("paused") == "paused"
    with pytest.raises(RuntimeError, match="已暂停"), speaking("zh"):
        raise RuntimeError(say("paused"))
    assert say("paused") == "paused"


def test_fields_are_filled_in_and_braces_are_braces_where_there_are_none() -> None:
    assert say("{a:.1f} of {b}", a=1.25, b="{a}") == "1.2 of {a}"
    assert say("a {brace") == "a {brace"
    assert say("") == ""
    with speaking("zh"):
        assert say("") == ""
        assert say("no text of the catalogue, {n}", n=1) == "no text of the catalogue, 1"


def test_a_number_decides_between_one_and_many() -> None:
    one, many = "{number} thing of no catalogue", "{number:,} things of {what}"
    assert say_number(1, one, many, what="none") == "1 thing of no catalogue"
    assert say_number(1000, one, many, what="none") == "1,000 things of none"


def test_what_is_marked_stays_english_until_it_is_shown() -> None:
    with speaking("zh"):
        words = marked("paused")
        assert words == "paused"
        assert say(words) == "已暂停"


def test_one_thing_has_its_own_words() -> None:
    for number, told in ((1, "1 reserved token takes too many"), (2, "2 reserved tokens take")):
        assert _too_long("gru", number).startswith(told)
    assert _too_long("gru", 0) == "the cell 'gru' takes too many"
    words = ("the only one of {number}", "{size} of {number}")
    assert say_number(1, *words, size=1, number=9) == "the only one of 9"
    assert say_number(3, *words, size=3, number=9) == "3 of 9"
