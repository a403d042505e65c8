"""The JupyterLab extension as a person meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest

from rnn_magics.notebook.widgets.base import STATIC

CORPUS = "%load_ext rnn_magics\n%corpus\n%vocab\n%sample seq --batch-size 16 --num-steps 32"
SMALL = "%train_rnn --cell rnn --num-hiddens 32 --threads 1"
LONG = f"run = {SMALL} --epochs 100000"
BRIEF = f"{SMALL} --max-tokens 20000"
PATIENCE = 60_000
STATUS = ".rnn-status-item"
STATUS_SAYS = "words => document.querySelector('.rnn-status-item')?.textContent.includes(words)"
SOURCES = (
    "() => [...jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.source)"
)
SHOW = """data => {
  const traits = { _view: 'chart', data };
  const model = { get: name => traits[name], on: () => undefined, off: () => undefined };
  bundle.render({ model, el: document.querySelector('#here') });
}"""
CHART = Path(__file__).parents[1] / "contract" / "payloads" / "chart.json"
RUN = Path(__file__).parents[1] / "contract" / "payloads" / "run.json"
LESSONS = "rnn_magics lessons"
EXAMPLES = {path.name: path for path in (Path(__file__).parents[2] / "examples").glob("[0-9]*.*")}


def wait_for_status(page: Any, words: str) -> None:
    page.tab.wait_for_function(STATUS_SAYS, arg=words, timeout=PATIENCE)


def toast(page: Any, words: str) -> None:
    page.tab.wait_for_selector(f".Toastify__toast:has-text('{words}')", timeout=PATIENCE)


@pytest.fixture
def training(lab: Any, page: Any, request: pytest.FixtureRequest) -> Any:
    """A tab in which a cell waits for a training."""
    page.open(
        lab.write(f"{request.node.name[:20]}.ipynb", CORPUS, LONG, "print('after', run.reason)")
    )
    page.run("notebook:run-all-cells")
    wait_for_status(page, "epoch")
    return page


def test_a_training_is_seen_and_stopped_from_the_panel(training: Any) -> None:
    tab = training.tab
    first = tab.inner_text(STATUS)
    assert first.startswith("rnn-1 epoch ")
    assert "/100000, ppl " in first
    tab.click(STATUS)
    card = tab.locator(".rnn-run")
    card.wait_for()
    tab.wait_for_selector(".rnn-spark polyline")
    assert "rnn, 32 hidden units, 1 layer" in card.inner_text()
    training.screenshot("lab-panel")
    card.get_by_role("button", name="Pause").click()
    wait_for_status(training, "paused")
    card.get_by_role("button", name="Resume").click()
    wait_for_status(training, "ETA")
    card.get_by_role("button", name="Stop").click()
    tab.wait_for_selector("text=after stopped", timeout=PATIENCE)
    wait_for_status(training, "stopped")
    toast(training, "rnn-1: stopped")
    training.screenshot("lab-stopped")
    assert training.errors == []


def test_a_page_that_is_loaded_anew_finds_the_run_and_the_toolbar_stops_it(training: Any) -> None:
    tab = training.tab
    tab.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    tab.reload()
    wait_for_status(training, "epoch")
    training.run("rnn-magics:open-panel")
    card = tab.locator(".rnn-run")
    tab.wait_for_selector(".rnn-spark polyline", timeout=PATIENCE)  # the whole curve was told
    card.get_by_role("button", name="Pause").click()
    wait_for_status(training, "paused")
    card.get_by_role("button", name="Resume").click()
    wait_for_status(training, "ETA")
    tab.click(".jp-NotebookPanel-toolbar [data-command='rnn-magics:stop']")
    wait_for_status(training, "stopped")  # and not "interrupted"
    toast(training, "rnn-1: stopped")
    assert tab.locator(".jp-NotebookPanel-toolbar [data-command='rnn-magics:stop']").is_hidden()


def test_runs_are_compared_in_a_new_cell(lab: Any, page: Any) -> None:
    page.run_all(lab.write("compare.ipynb", CORPUS, f"{BRIEF} --name 'a <b>b'", BRIEF))
    wait_for_status(page, "rnn-1 token limit reached")
    page.run("rnn-magics:open-panel")
    page.tab.get_by_label("compare a <b>b").check()
    page.tab.get_by_label("compare rnn-1").check()
    page.tab.get_by_role("button", name="Compare", exact=True).click()
    page.tab.wait_for_function(
        f"() => ({SOURCES})().at(-1) === '%rnn compare rnn-1 \"a <b>b\"'", timeout=PATIENCE
    )
    page.idle()
    page.screenshot("lab-compare")
    assert page.tab.locator(".rnn-panel b").count() == 0


def test_a_saved_run_is_drawn_without_a_kernel(lab: Any, page: Any) -> None:
    run = json.loads(RUN.read_text(encoding="utf-8"))
    mime = "application/vnd.rnn-magics.run+json"
    shown = [{mime: run}, {mime: {"view": "compare", "version": 1, "runs": [run, run]}}]
    shown.append({mime: {**run, "version": 2}, "text/plain": "gru-1: as words"})
    cell = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
        outputs=[
            nbformat.v4.new_output("display_data", {"text/plain": "a run", **data})  # type: ignore[no-untyped-call]
            for data in shown
        ]
    )
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[cell], metadata={"kernelspec": {"name": "no-such-kernel", "display_name": "none"}}
    )
    nbformat.write(notebook, lab.folder / "kept.ipynb")  # type: ignore[no-untyped-call]
    tab = page.tab
    tab.goto(f"{lab.url}/lab/tree/kept.ipynb?reset")
    tab.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    tab.wait_for_selector(".rnn-saved canvas", timeout=PATIENCE)
    assert tab.locator(".rnn-saved").count() == 2
    assert tab.locator(".rnn-saved b").count() == 0
    label = tab.locator(".rnn-chart").first.get_attribute("aria-label")
    assert "against steps; training" in label
    tab.locator(".rnn-saved select").first.select_option("seconds")
    tab.wait_for_selector(".rnn-chart[aria-label*='against seconds of training']")
    tab.wait_for_selector("text=gru-1: as words")
    tab.wait_for_selector("text=This view cannot be drawn")
    page.screenshot("lab-saved")
    assert page.errors == []


def test_the_launcher_opens_the_quickstart_and_keeps_what_is_there(lab: Any, page: Any) -> None:
    tab = page.tab
    tab.goto(f"{lab.url}/lab?reset")
    card = tab.locator(".jp-LauncherCard[title*='Train a recurrent language model']")
    card.click(timeout=PATIENCE)
    page.tab.wait_for_selector(".jp-Notebook h1:has-text('six lines')", timeout=PATIENCE)
    page.screenshot("lab-quickstart")
    folder = lab.folder / LESSONS
    assert {path.name for path in folder.iterdir() if path.is_file()} == EXAMPLES.keys()
    path = folder / "01_quickstart.ipynb"
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    assert sources(path) == sources(EXAMPLES[path.name])
    path.write_text(path.read_text(encoding="utf-8").replace("six lines", "my own lines"))
    tab.goto(f"{lab.url}/lab?reset")
    card.click(timeout=PATIENCE)
    page.tab.wait_for_selector(".jp-Notebook h1:has-text('my own lines')", timeout=PATIENCE)


def test_a_lesson_leads_to_the_next_one(lab: Any, page: Any) -> None:
    page.open(f"{lab.url}/lab/tree/{quote(LESSONS)}/01_quickstart.ipynb?reset")
    page.tab.click(".jp-Notebook a:has-text('03 Sequence models')")
    page.tab.wait_for_selector(".jp-Notebook h1:has-text('Sequence models')", timeout=PATIENCE)
    path = lab.folder / LESSONS / "04_text_and_zipf.ipynb"
    path.unlink()  # a lesson that is gone is copied again
    page.run("rnn-magics:next-lesson")
    page.tab.wait_for_selector(".jp-Notebook h1:has-text('Zipf')", timeout=PATIENCE)
    assert sources(path) == sources(EXAMPLES[path.name])


def sources(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return [cell.source for cell in notebook.cells]


def test_a_text_file_becomes_the_corpus(lab: Any, page: Any) -> None:
    folder = lab.folder / "texts"
    folder.mkdir()
    (folder / 'it\'s "my" <b>.txt').write_text("a text " * 100)
    (folder / "picture.png").write_bytes(b"")
    page.open(lab.write("use.ipynb", "1"))
    page.tab.dblclick(".jp-DirListing-item:has-text('texts')")
    page.tab.click(".jp-DirListing-item:has-text('picture')", button="right")
    page.tab.wait_for_selector(".lm-Menu-itemLabel:has-text('Rename')")
    assert page.tab.locator(".lm-Menu-itemLabel:has-text('Use as Corpus')").is_hidden()
    page.tab.keyboard.press("Escape")
    page.tab.click(".jp-DirListing-item:has-text('my')", button="right")
    page.tab.click(".lm-Menu-itemLabel:has-text('Use as Corpus')")
    page.tab.wait_for_function(f"() => ({SOURCES})().length === 2")
    assert page.tab.evaluate(SOURCES)[1] == '''%corpus "texts/it's "'"'"my"'"'" <b>.txt"'''


def test_magic_lines_are_coloured_and_a_corpus_is_plain(lab: Any, page: Any) -> None:
    line = 'text = %generate "the <b>" --length 20'
    body = "%%corpus poem\nfor in if class 'the' 3"
    page.open(lab.write("colours.ipynb", line, body, "for x in []: pass"))
    tab = page.tab
    tab.wait_for_selector(".rnn-code-magic")
    assert tab.locator(".rnn-code-magic").all_inner_texts() == ["%generate", "%%corpus"]
    assert tab.locator(".rnn-code-option").all_inner_texts() == ["--length"]
    assert tab.locator(".rnn-code-quoted").all_inner_texts() == ['"the <b>"']
    colours = tab.evaluate(
        "() => new Set([...document.querySelectorAll('.jp-Cell:nth-of-type(2) .cm-line:last-child"
        " *')].map(e => getComputedStyle(e).color)).size"
    )
    assert colours == 1
    page.screenshot("lab-highlighting")


def test_a_view_asks_the_page_to_insert_a_cell_and_to_interrupt(lab: Any, page: Any) -> None:
    sleep = "import time\nprint('it', 'sleeps')\ntime.sleep(600)"
    page.open(lab.write("events.ipynb", sleep, "print('went', 'on')"))
    page.run("notebook:run-cell")
    page.tab.wait_for_selector(".jp-OutputArea-output:has-text('it sleeps')", timeout=PATIENCE)
    send = (
        "([name, detail]) => document.querySelector('.jp-Notebook .jp-Cell')"
        ".dispatchEvent(new CustomEvent(name, { bubbles: true, detail }))"
    )
    page.tab.evaluate(send, ["rnn-magics:insert-cell", {"text": "%vocab --token word"}])
    assert page.tab.evaluate(SOURCES)[1] == "%vocab --token word"
    page.tab.evaluate(send, ["rnn-magics:interrupt", None])
    page.tab.wait_for_selector("text=KeyboardInterrupt", timeout=PATIENCE)


def test_a_chinese_page_speaks_chinese_without_a_language_pack(
    serve: Any, page: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serve(tmp_path_factory.mktemp("chinese"), "jupyterlab") as lab:
        address = f"{lab.url}/lab/api/settings/@jupyterlab/translation-extension:plugin"
        page.tab.request.put(address, data={"raw": '{"locale": "zh_CN"}'})
        page.tab.goto(f"{lab.url}/lab?reset")
        page.tab.click(".jp-LauncherCard:has-text('RNN 快速入门')", timeout=PATIENCE)
        page.tab.wait_for_selector(".jp-Notebook h1:has-text('循环语言模型')", timeout=PATIENCE)
        page.run("rnn-magics:next-lesson")
        page.tab.wait_for_selector(".jp-Notebook h1:has-text('序列模型')", timeout=PATIENCE)
        chinese = EXAMPLES["01_quickstart.ipynb"].parent / "zh"
        for name in EXAMPLES.keys() - {"02_same_in_python.py"}:
            assert sources(lab.folder / LESSONS / name) == sources(chinese / name)
        page.tab.goto(f"{lab.url}/lab/tree/{quote(LESSONS)}/05_random_or_sequential.ipynb?reset")
        drawn = "() => [...document.querySelectorAll('.jp-Notebook img')].some(i => i.naturalWidth)"
        page.tab.wait_for_function(drawn, timeout=PATIENCE)
        page.screenshot("lab-chinese-lesson")
        page.run("rnn-magics:open-panel")
        page.tab.wait_for_selector(".rnn-panel:has-text('还没有训练')")
        page.open(lab.write("views.ipynb", CORPUS, LONG, BRIEF))
        page.run("notebook:run-all-cells")
        wait_for_status(page, "剩余")
        page.tab.wait_for_selector(
            ".jp-OutputArea-output:has-text('占训练词元的')"
        )  # of the kernel
        page.tab.wait_for_selector(".rnn-dashboard .rnn-status:has-text('词元/秒')")
        page.tab.wait_for_selector(".rnn-chart[aria-label^='困惑度：困惑度，横轴 步数; 训练 ']")
        page.screenshot("lab-chinese")
        stop = page.tab.locator(".rnn-dashboard").get_by_role("button", name="停止", exact=True)
        stop.click()
        page.tab.wait_for_selector(".rnn-saved:has-text('已结束：已停止')", timeout=PATIENCE)
        page.idle()


def test_a_view_outside_jupyterlab_speaks_the_language_of_the_page(browser: Any) -> None:
    """The bundle of anywidget alone, on a page that says nothing of JupyterLab."""
    data = json.loads(CHART.read_text(encoding="utf-8"))
    bundle = (STATIC / "widgets.js").read_text(encoding="utf-8")
    for locale, points in (("zh-CN", "个点"), ("en-US", "points")):
        context = browser.new_context(locale=locale)
        tab = context.new_page()
        tab.set_content("<!doctype html><html lang=en><div id=here></div></html>")
        code = re.sub(r"export\{(\w+) as default\}", r"globalThis.bundle = \1", bundle)
        tab.add_script_tag(type="module", content=code)
        tab.wait_for_function("globalThis.bundle")
        tab.evaluate(SHOW, data)
        tab.wait_for_selector("caption", state="attached")
        assert points in tab.locator("caption").inner_text()
        context.close()


def test_what_is_switched_off_is_gone(lab: Any, page: Any) -> None:
    page.run_all(lab.write("settings.ipynb", CORPUS, BRIEF))
    tab = page.tab
    wait_for_status(page, "token limit reached")
    tab.wait_for_selector(".rnn-code-magic")
    tab.click(".lm-MenuBar-itemLabel:has-text('Kernel')")
    tab.wait_for_selector(".lm-Menu-itemLabel:has-text('Stop RNN Training')")
    page.screenshot("lab-kernel-menu")
    tab.keyboard.press("Escape")
    set_ours = "s => jupyterapp.serviceManager.settings.save('rnn-magics:plugin', s)"
    tab.evaluate(set_ours, '{"statusItem": false, "highlighting": false}')
    tab.reload()
    page.idle()
    tab.wait_for_selector(".jp-Notebook .cm-line")
    page.run("rnn-magics:open-panel")
    tab.wait_for_selector(".rnn-run")
    assert tab.locator(STATUS).is_hidden()
    assert tab.locator(".rnn-code-magic").count() == 0
    tab.evaluate(set_ours, "{}")
    tab.reload()
    tab.wait_for_selector(".rnn-code-magic", timeout=PATIENCE)
    wait_for_status(page, "token limit reached")
