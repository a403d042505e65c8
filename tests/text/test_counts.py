from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.text import counts
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.counts import TextCounts, count_text, count_words
from rnn_magics.text.vocab import Vocab, VocabConfig

VOCAB = Vocab.from_corpus(Corpus.from_text("ab \n", CorpusConfig(valid=0.0)))


@given(st.text("ab \n", min_size=2), st.sampled_from([1, 2, 3, 1 << 20]))
def test_words_that_begin_after_the_first_character_are_counted(text: str, length: int) -> None:
    begun = len(text.split()) - (not text[0].isspace())
    inked = sum(not character.isspace() for character in text)
    expected = begun if inked <= 20 * max(begun, 1) else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "_SLICE", length)
        assert count_words(np.array(VOCAB[list(text)]), VOCAB) == expected


ENGLISH = "the time traveller for so it will be convenient to speak of him\n"
TEXTS = {
    "English": (ENGLISH * 3, True),
    "German": ("die donaudampfschifffahrtsgesellschaft hat sitzung heute abend\n", True),
    "Finnish": ("järjestelmällisyydettömyydestään huolimatta hän tuli kotiin illalla\n", True),
    "Korean": ("나는 오늘 아침에 학교에 갔다 그리고 친구를 만났다\n", True),
    "Hindi": ("मैं आज सुबह स्कूल गया और अपने दोस्त से मिला\n", True),
    "Persian": ("من امروز صبح به مدرسه رفتم و دوستم را دیدم\n", True),
    "code": ("for i in range(10):\n    print(i)\nreturn value\n", True),
    "Chinese": ("子曰學而時習之不亦說乎有朋自遠方來不亦樂乎\n" * 3, False),
    "a Chinese poem": ("床前明月光\n疑是地上霜\n舉頭望明月\n低頭思故鄉\n", False),
    "Japanese": ("吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。\n", False),
    "Thai": ("วันนี้ฉันไปโรงเรียน\nแล้วพบเพื่อน\n", False),
    "DNA": ("GATTACAGATTACACCGGTTAACCGGATATCGCGATTACAGATTACACCGG\n" * 4, False),
    "DNA in one line": ("GATTACA" * 30, False),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_without_words_between_white_space_has_no_number_of_words(name: str) -> None:
    text, has_words = TEXTS[name]
    vocab = Vocab.from_corpus(Corpus.from_text(text, CorpusConfig(valid=0.0)))
    found = count_words(np.array(vocab[list(text)]), vocab)
    assert (found is not None) == has_words
    if has_words:
        assert found == len(text.split()) - 1


def test_unknown_tokens_and_words_are_counted() -> None:
    assert count_text(np.array(VOCAB[list("a bx b")]), VOCAB) == TextCounts(pytest.approx(1 / 6), 2)


def test_words_are_counted_of_characters_alone() -> None:
    corpus = Corpus.from_text("one two one", CorpusConfig(valid=0.0))
    words = Vocab.from_corpus(corpus, VocabConfig("word"))
    assert count_text(np.array([1, 0, 2, 0]), words) == TextCounts(0.5, None)
    assert count_text(np.array([], np.uint8), words) == TextCounts(0.0, None)
