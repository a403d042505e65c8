"""The page of a run, opened as a file: no server, no network, no kernel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rnn_magics import ModelConfig, PageConfig, TrainConfig, Vocab, make_batches, train, write_page
from rnn_magics.batching import BatchConfig
from rnn_magics.text.corpus import Corpus, CorpusConfig
from tests.browser.conftest import wait_until_written
from tests.browser.test_injection import PAYLOADS
from tests.conftest import TEXT
from tests.handout.test_page import HOSTILE


def written(folder: Path, text: str = TEXT, name: str = "gru-1") -> Path:
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.3), name="tiny")
    batches = make_batches(
        corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=4, num_steps=8)
    )
    run = train(batches, ModelConfig("gru", 24), TrainConfig(epochs=3, threads=1), name=name)
    return write_page(run, folder / "run.html", corpus, PageConfig(text=text[:30])).path


class File:
    """A page that was opened from disk, with all that it asked for and complained of."""

    def __init__(self, browser: Any, url: str, **more: Any) -> None:
        size = {"width": 1100, "height": 900}
        self.context = browser.new_context(offline=True, viewport=size, **more)
        self.tab = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.goto(url)


@pytest.fixture(scope="module")
def opened(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = written(tmp_path_factory.mktemp("page"))
    file = File(browser, path.as_uri())
    file.tab.locator(".rnn-written").first.wait_for()
    yield file, path
    file.context.close()


def test_it_is_drawn_without_asking_anybody(opened: Any) -> None:
    file, path = opened
    assert file.asked == [path.as_uri()]
    assert file.tab.locator("section h2").all_inner_texts() == [
        "The model",
        "How it was trained",
        "What happens in it",
    ]
    assert file.tab.locator(".rnn-inspection").count() == 4
    assert file.tab.locator(".rnn-run-card .uplot").count() == 2
    file.tab.screenshot(path=Path("artefacts") / "page-file.png", full_page=True)
    assert file.said == []


def test_a_person_types_and_changes_a_unit(opened: Any) -> None:
    file, _ = opened
    model = file.tab.locator(".rnn-inspection").first
    model.locator("textarea").fill("the time")
    wait_until_written(model)
    branch = model.locator(".rnn-branch")
    before = branch.first.locator("[role=listbox]").inner_text()
    assert before.startswith("the time")
    canvas = model.locator("canvas")
    canvas.focus()
    canvas.press("Enter")
    value = model.get_by_label("value").last
    value.focus()
    value.press("End")
    wait_until_written(model)
    assert branch.nth(1).locator("[role=listbox]").inner_text().startswith("the time")
    assert "tokens" in model.locator("[role=status]").first.inner_text()
    assert file.said == []


@pytest.mark.parametrize("width", [360, 700, 1400])
def test_nothing_is_wider_than_the_page(opened: Any, width: int) -> None:
    file, _ = opened
    file.tab.set_viewport_size({"width": width, "height": 900})
    file.tab.wait_for_timeout(200)
    assert file.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_what_somebody_puts_into_the_file_does_not_run(opened: Any, browser: Any) -> None:
    _, path = opened
    spoilt = path.with_name("spoilt.html")
    added = '<script>window.__done=1</script><img src="x" onerror="window.__done=1"><main'
    spoilt.write_text(path.read_text(encoding="utf-8").replace("<main", added, 1), encoding="utf-8")
    file = File(browser, spoilt.as_uri())
    file.tab.locator(".rnn-written").first.wait_for()
    assert file.tab.evaluate("window.__done") is None
    assert any("Content Security Policy" in said for said in file.said)
    file.context.close()


def test_it_stands_in_a_frame(opened: Any, browser: Any) -> None:
    _, path = opened
    outer = path.with_name("outer.html")
    frame = f'<iframe src="{path.name}" sandbox="allow-scripts" width=900 height=800></iframe>'
    outer.write_text(frame, encoding="utf-8")
    file = File(browser, outer.as_uri())
    file.tab.frame_locator("iframe").locator(".rnn-written").first.wait_for()
    file.context.close()


def test_it_speaks_chinese_with_a_chinese_reader(opened: Any, browser: Any) -> None:
    _, path = opened
    file = File(browser, path.as_uri(), locale="zh-CN")
    file.tab.locator(".rnn-written").first.wait_for()
    assert "模型" in file.tab.locator("section h2").first.inner_text()
    assert "温度" in file.tab.locator(".rnn-inspection").first.inner_text()
    file.context.close()


def test_text_stays_text(browser: Any, tmp_path: Path) -> None:
    path = written(tmp_path, HOSTILE.replace("\ud800", "") * 2, name=PAYLOADS[1])
    file = File(browser, path.as_uri())
    file.tab.locator(".rnn-written").first.wait_for()
    assert file.tab.evaluate("window.__done") is None
    assert file.tab.locator("h1 *, dd *, main img, main script, main iframe").count() == 0
    assert file.tab.locator("h1").inner_text() == PAYLOADS[1]
    assert file.asked == [path.as_uri()]
    assert not [said for said in file.said if not re.search("^$", said)]
    file.context.close()


def test_the_page_of_the_docs_opens_and_its_text_is_read_by_rows_and_names(browser: Any) -> None:
    path = Path(__file__).parents[2] / "docs" / "page.html"
    file = File(browser, path.as_uri())
    file.tab.locator(".rnn-written").first.wait_for()
    assert file.tab.locator(".rnn-inspection").count() == 5
    worth = file.tab.get_by_role("table", name="What each unit is worth")
    assert worth.get_by_role("rowheader").count() == worth.locator("tbody tr").count() > 0
    assert file.tab.locator(".rnn-run-card").get_by_label("What it writes").count() == 1
    assert file.asked == [path.as_uri()]
    assert file.said == []
    file.context.close()
