"""What `make bench` writes into its page, and what it leaves there."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PAGE = """# Performance

<!-- training, AMD EPYC: begin -->

old

<!-- training, AMD EPYC: end -->

## Text

<!-- text: begin -->

old

<!-- text: end -->
"""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("bench", "avx2"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import bench

    return bench


def on(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, processor: str, *, is_wide: bool = True
) -> None:
    monkeypatch.setattr(bench, "processor", lambda: processor)
    monkeypatch.setattr(bench.avx2, "has_more", lambda: is_wide)


def test_the_table_of_the_same_cpu_is_replaced(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(bench, monkeypatch, "AMD EPYC")
    page = bench.replaced(PAGE, "training", "new\\d\n")
    assert page == PAGE.replace("old", "new\\d", 1)


def test_the_table_of_another_cpu_stays(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    on(bench, monkeypatch, "Intel(R) Xeon(R) Processor")
    page = bench.replaced(PAGE, "training", "new")
    assert PAGE.partition("<!--")[2] in page
    assert "<!-- training, Intel Xeon: begin -->\n\nnew\n<!-- training, Intel Xeon: end -->" in page
    assert bench.replaced(page, "training", "newer") == page.replace("new", "newer", 1)


def test_a_cpu_of_the_same_name_without_avx512_has_a_table_of_its_own(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(bench, monkeypatch, "AMD EPYC", is_wide=False)
    page = bench.replaced(PAGE, "training", "new")
    assert PAGE.partition("<!--")[2] in page
    assert "<!-- training, AMD EPYC, AVX2: begin -->\n\nnew\n" in page


def test_the_limit_to_avx2_is_left_out_where_there_is_nothing_wider(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: list[str] = []
    monkeypatch.setattr(bench, "section", lambda name, **_: run.append(name) or name)
    monkeypatch.setattr(sys, "argv", ["bench.py", "--quick", "--only", "training", "avx2"])
    on(bench, monkeypatch, "AMD EPYC", is_wide=False)
    bench.main()
    assert run == ["training"]
    assert "avx2: this CPU has nothing wider" in capsys.readouterr().out
    on(bench, monkeypatch, "AMD EPYC")
    bench.main()
    assert run == ["training", "training", "avx2"]


def test_other_tables_are_those_of_the_last_machine(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(bench, monkeypatch, "Intel(R) Xeon(R) Processor")
    page = bench.replaced(PAGE, "text", "new\n")
    assert page == PAGE.replace("\nold\n\n<!-- text: end", "\nnew\n\n<!-- text: end")


def test_a_section_that_is_new_comes_last(bench: ModuleType) -> None:
    page = bench.replaced(PAGE, "page", "new")
    assert page.startswith(PAGE)
    assert "## A model in a page\n\n<!-- page: begin -->\n\nnew\n<!-- page: end -->\n" in page


def test_the_page_has_marks_for_every_section(bench: ModuleType) -> None:
    page = bench.PAGE.read_text(encoding="utf-8")
    for name in bench.SECTIONS:
        assert f"<!-- {name}" in page
