"""Packed files: their bytes come out, up to a limit; anything else is one clear line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.formats import packed

PACK: dict[str, Callable[[bytes], bytes]] = {
    "a.txt.gz": gzip.compress,
    "a.txt.bz2": bz2.compress,
    "a.TXT.XZ": lzma.compress,
    "a.txt": bytes,
}
TEXT = b"the time traveller " * 200


def unpacked(data: bytes, name: str, pattern: str = "", limit: float = 1.0) -> dict[str, bytes]:
    found = packed.parts(io.BytesIO(data), name, pattern, "typed", limit)
    return {part: b"".join(blocks) for part, blocks in found}


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


def refused(data: bytes, name: str, pattern: str = "", limit: float = 1.0) -> str:
    with pytest.raises(CorpusError) as caught:
        unpacked(data, name, pattern, limit)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", PACK)
def test_what_was_packed_comes_out(name: str) -> None:
    assert unpacked(PACK[name](TEXT), name) == {name: TEXT}
    assert unpacked(PACK[name](b""), name) == {name: b""}


def test_a_file_of_several_packed_ones_is_their_sequence() -> None:
    assert unpacked(gzip.compress(b"one ") + gzip.compress(b"two"), "a.gz") == {"a.gz": b"one two"}


@pytest.mark.parametrize("name", [name for name in PACK if name != "a.txt"])
def test_what_unpacks_to_more_than_the_limit_is_refused(name: str) -> None:
    bomb = PACK[name](b"a" * 5_001)
    assert len(unpacked(bomb, name, limit=0.005001)[name]) == 5_001
    said = refused(bomb, name, limit=0.005)
    assert said == "'typed' is larger than 0.005 MB, unpacked; allow more with --max-unpacked MB"


def test_a_limit_is_no_limit_for_what_is_not_packed() -> None:
    assert unpacked(TEXT, "a.txt", limit=0.000001) == {"a.txt": TEXT}


def test_no_more_is_unpacked_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "BLOCK_BYTES", 10)
    bomb = gzip.compress(b"a" * 1_000)
    ((_, blocks),) = packed.parts(io.BytesIO(bomb), "a.gz", "", "typed", 0.000025)
    assert [next(blocks), next(blocks)] == [b"a" * 10] * 2
    with pytest.raises(CorpusError, match=r"larger than 2\.5e-05 MB"):
        next(blocks)


def test_the_files_of_an_archive_come_in_the_order_of_their_paths() -> None:
    data = zipped(
        ("b.txt", b"2"),
        ("a/z.txt", b"1"),
        (".hidden", b"h"),
        ("a/.git/x", b"h"),
        ("__MACOSX/b.txt", b"h"),
        ("empty/", b""),
        ("./c.txt", b"3"),
    )
    assert unpacked(data, "a.zip") == {"a/z.txt": b"1", "b.txt": b"2", "c.txt": b"3"}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("b.txt", ["b.txt"]),
        ("a", ["a/x.md", "a/y.txt"]),
        ("*.txt", ["a/y.txt", "b.txt", "odd[1].txt"]),
        ("a/*", ["a/x.md", "a/y.txt"]),
        ("odd[1].txt", ["odd[1].txt"]),
        (".hidden", [".hidden"]),
    ],
)
def test_a_part_of_an_archive_is_named(pattern: str, found: list[str]) -> None:
    names = ["a/x.md", "a/y.txt", "b.txt", "odd[1].txt", "z.md", ".hidden"]
    data = zipped(*((name, b"") for name in names))
    assert list(unpacked(data, "a.zip", pattern)) == found


def test_a_pattern_that_nothing_fits_is_answered_with_what_there_is() -> None:
    data = zipped(*((f"{name}.txt", b"") for name in "abcd"))
    said = refused(data, "a.zip", "*.md")
    has = "it has 'a.txt', 'b.txt', 'c.txt', ..."
    assert said == f"'typed' fits no file of the archive ({has})"
    assert "(it has no files)" in refused(zipped(), "a.zip")


@pytest.mark.parametrize(
    "name",
    ["../up.txt", "a/../../up.txt", "/etc/passwd", "C:\\up.txt", "..\\up.txt", "\\\\h\\s\\x"],
)
def test_a_path_that_leaves_the_archive_is_refused(name: str) -> None:
    info = zipfile.ZipInfo("x")
    info.filename = name  # as a hostile archive has it
    said = refused(zipped(("a.txt", b"fine"), (info, b"harm")), "a.zip", "a.txt")
    assert "is a path that leaves the archive; unpack it with care, and name its files" in said


def flagged(data: bytes, at: int, value: int, where: tuple[int, int]) -> bytes:
    """Return an archive of one file with a field of both of its headers changed."""
    changed = bytearray(data)
    local, central = data.index(b"PK\3\4"), data.index(b"PK\1\2")
    for start, offset in zip((local, central), where, strict=True):
        changed[start + offset + at : start + offset + at + 2] = value.to_bytes(2, "little")
    return bytes(changed)


def test_an_encrypted_archive_is_called_so() -> None:
    data = flagged(zipped(("a.txt", TEXT)), 0, 1, (6, 8))
    said = refused(data, "a.zip")
    assert said == (
        "'typed' is not read: 'a.txt' in it is encrypted; unpack it with its password, and name its"
        " files"
    )


def test_a_method_that_python_does_not_know_is_called_so() -> None:
    data = flagged(zipped(("a.txt", TEXT)), 0, 99, (8, 10))
    assert "that Python cannot unpack (" in refused(data, "a.zip")


def test_a_link_in_an_archive_is_not_followed() -> None:
    link = zipfile.ZipInfo("a.txt")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert "is a link, not a file" in refused(zipped((link, b"/etc/passwd")), "a.zip")


@pytest.mark.parametrize("name", ["more.zip", "more.txt.gz"])
def test_one_layer_is_unpacked(name: str) -> None:
    assert "is packed once more" in refused(zipped((name, b"")), "a.zip")


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped(("a.txt", b"a" * 3_000), ("b.txt", b"b" * 3_000))
    assert unpacked(bomb, "a.zip", limit=0.006)
    assert unpacked(bomb, "a.zip", "a.txt", limit=0.003)
    assert "larger than 0.005 MB, unpacked" in refused(bomb, "a.zip", limit=0.005)


def test_an_archive_that_lies_about_its_size_gains_nothing() -> None:
    data = bytearray(zipped(("a.txt", b"a" * 3_000)))
    for start in (data.index(b"PK\3\4") + 22, data.index(b"PK\1\2") + 24):
        data[start : start + 4] = (10).to_bytes(4, "little")
    assert "damaged" in refused(bytes(data), "a.zip", limit=0.001)


def test_an_archive_of_very_many_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_MEMBERS", 2)
    data = zipped(*((f"{name}.txt", b"x") for name in "abc"))
    assert "stands for more than 2 files" in refused(data, "a.zip")
    assert len(unpacked(data, "a.zip", "[ab].txt")) == 2


@pytest.mark.parametrize("name", ["a.gz", "a.bz2", "a.xz", "a.zip"])
@pytest.mark.parametrize("data", [b"", b"plain text", b"PK\3\4", b"\x1f\x8b\x08"])
def test_what_is_not_packed_as_its_name_says_is_called_so(name: str, data: bytes) -> None:
    if not data and name == "a.gz":
        assert unpacked(data, name) == {name: b""}  # gzip takes it for nothing packed
        return
    said = refused(data, name)
    assert said.endswith("fetch it again, or unpack it yourself and name its files")


FILES = {name: pack(TEXT) for name, pack in PACK.items() if name != "a.txt"}
FILES["a.zip"] = zipped(("a.txt", TEXT), ("b.txt", b"two"))


@pytest.mark.parametrize("name", FILES)
@given(st.data())
def test_a_damaged_file_is_refused_or_the_same(name: str, data: st.DataObject) -> None:
    whole = FILES[name]
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    for content in (bytes(damaged), whole[:place]):
        found: dict[str, bytes] = {}
        with suppress(CorpusError):  # anything else is a fault
            found = unpacked(content, name, limit=1.0)
        # What is damaged may not matter, such as a time, or it is a name.
        assert set(found.values()) <= {TEXT, b"two", b""}
