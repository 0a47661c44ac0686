"""What strangers pack into archives."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from separation.archives import BadArchive, DiskContainer, Limits, LooseContainer, ZipContainer
from tests.factories import files_in
from tests.separation.import_files import archive


def opened(tmp_path: Path, data: bytes, **limits: int) -> ZipContainer:
    path = tmp_path / "stems.zip"
    path.write_bytes(data)
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return ZipContainer(path, scratch=scratch, limits=Limits(**limits))


def refusal(tmp_path: Path, data: bytes, **limits: int) -> str:
    with pytest.raises(BadArchive) as refused:
        opened(tmp_path, data, **limits)
    return refused.value.code


def content(container: ZipContainer | DiskContainer | LooseContainer, number: int = 0) -> bytes:
    with container.on_disk(container.found()[number]) as path:
        return path.read_bytes()


def packed_with(info: zipfile.ZipInfo, data: bytes = b"sound") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr(info, data)
    return file.getvalue()


def test_files_are_found_by_folder_and_name_and_unpacked_one_by_one(tmp_path: Path) -> None:
    data = archive({"b/vocals.wav": b"2", "a/vocals.wav": b"1", "outer/c/drums.wav": b"3"})
    container = opened(tmp_path, data)
    assert [(found.folder, found.name) for found in container.found()] == [
        ("a", "vocals.wav"),
        ("b", "vocals.wav"),
        ("c", "drums.wav"),
    ]
    assert [content(container, number) for number in range(3)] == [b"1", b"2", b"3"]
    assert files_in(tmp_path / "scratch") == []


def test_what_operating_systems_leave_behind_is_not_there(tmp_path: Path) -> None:
    names = ["__MACOSX/a/._vocals.wav", "a/.DS_Store", "a/Thumbs.db", ".git/config", "a/desktop.ini", "a/vocals.wav"]
    assert [found.name for found in opened(tmp_path, archive(dict.fromkeys(names, b"x"))).found()] == ["vocals.wav"]


@pytest.mark.parametrize(
    "name",
    [
        "../vocals.wav",
        "a/../../vocals.wav",
        "/etc/vocals.wav",
        "C:/vocals.wav",
        "..\\vocals.wav",
        "a/..",
        "\\\\h\\a.wav",
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, archive({"a/drums.wav": b"x", name: b"x"})) == "zip_unsafe_path"


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a/vocals.wav")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert refusal(tmp_path, packed_with(link, b"/etc/passwd")) == "zip_link"


def test_archives_in_archives_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, archive({"a/inner.ZIP": archive({"x.wav": b"x"})})) == "zip_nested"


def test_encrypted_files_are_refused(tmp_path: Path) -> None:
    data = bytearray(archive({"a/vocals.wav": b"sound"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        data[at : at + 2] = struct.pack("<H", struct.unpack("<H", data[at : at + 2])[0] | 1)
    assert refusal(tmp_path, bytes(data)) == "zip_encrypted"


def test_a_compression_that_python_does_not_know_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive({"a/vocals.wav": b"sound"}))
    at = data.index(b"PK\x01\x02") + 10
    data[at : at + 2] = struct.pack("<H", 9)  # Deflate64
    assert refusal(tmp_path, bytes(data)) == "zip_method"


@pytest.mark.parametrize("data", [b"", b"Rar!\x1a\x07\x01\x00 and so on", b"PK\x03\x04" + bytes(200), os.urandom(2000)])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path, data) == "zip_not_a_zip"


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    data = archive({f"a/{number}.txt": b"" for number in range(11)})
    assert refusal(tmp_path, data, members=10) == "zip_too_many"


@pytest.mark.parametrize("form", ["plain", "with a comment", "ZIP64"])
@pytest.mark.parametrize("lie", ["none", "of the number"])
def test_a_long_list_of_contents_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, lie: str
) -> None:
    data = archive({f"a/{number}.txt": b"" for number in range(300)})
    list_bytes = struct.unpack_from("<L", data, len(data) - 10)[0]
    count = 300 if lie == "none" else 1
    if form == "ZIP64":
        end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, list_bytes, len(data))
        data = data[:-22] + end64 + struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 22, 1) + data[-22:]
    data = data[:-14] + struct.pack("<2H", count % 65535, count % 65535) + data[-10:]
    if form == "with a comment":
        data = data[:-2] + struct.pack("<H", 7) + b"comment"
    monkeypatch.setattr(zipfile, "ZipFile", lambda path: pytest.fail("the list was read"))
    assert refusal(tmp_path, data, members=10) == "zip_too_many"


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    data = archive({"a/vocals.wav": bytes(8 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    container = opened(tmp_path, data, unpacked_bytes=2**20, unpacked_ratio=25)
    with pytest.raises(BadArchive) as refused:
        content(container)
    assert refused.value.code == "zip_bomb"
    assert files_in(tmp_path / "scratch") == []


def test_a_bomb_in_pieces_is_stopped_too(tmp_path: Path) -> None:
    files = {f"a/{number}.wav": bytes(2**19) for number in range(5)}
    container = opened(tmp_path, archive(files, compression=zipfile.ZIP_DEFLATED), unpacked_bytes=2**20)
    with pytest.raises(BadArchive, match="zip_bomb"):
        for number in range(5):
            content(container, number)


def test_one_file_may_not_be_larger_than_a_song(tmp_path: Path) -> None:
    container = opened(tmp_path, archive({"a/vocals.wav": bytes(3000)}), member_bytes=2000)
    with pytest.raises(BadArchive, match="zip_bomb"):
        content(container)


def test_a_bomb_whose_header_lies_is_never_unpacked_in_full(tmp_path: Path) -> None:
    """The size in the list of contents says 100 bytes of what are 8 MB."""
    data = bytearray(archive({"a/vocals.wav": bytes(8 * 2**20)}, compression=zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 100)
    container = opened(tmp_path, bytes(data), unpacked_bytes=2**20)
    with pytest.raises(BadArchive) as refused:
        content(container)
    assert refused.value.code in ("zip_bomb", "zip_damaged")


def test_music_that_packs_well_is_no_bomb(tmp_path: Path) -> None:
    """A silent stem packs to a thousandth."""
    silent = bytes(8 * 2**20)
    container = opened(tmp_path, archive({"a/vocals.wav": silent}, compression=zipfile.ZIP_DEFLATED))
    assert content(container) == silent


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive({"a/vocals.wav": bytes(range(256)) * 8}))
    data[100] ^= 0xFF
    with pytest.raises(BadArchive, match="zip_damaged"):
        content(opened(tmp_path, bytes(data)))


@pytest.mark.parametrize("encoding", ["utf-8", "cp437"])
def test_names_in_any_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    """Without the flag that says UTF-8, as macOS, old Linux tools and Windows write them."""
    stand_in = "x" * len("Canción/batería.wav".encode(encoding))
    data = archive({stand_in: b"sound"}).replace(stand_in.encode(), "Canción/batería.wav".encode(encoding))
    (found,) = opened(tmp_path, data).found()
    assert (found.folder, found.name) == ("Canción", "batería.wav")


def test_names_in_decomposed_unicode_are_read(tmp_path: Path) -> None:
    (found,) = opened(tmp_path, archive({"Cancio\u0301n/voz.wav": b""})).found()
    assert found.folder == "Canción"


def test_a_folder_on_disk_is_read_and_links_out_of_it_are_not(tmp_path: Path) -> None:
    (tmp_path / "in" / "song").mkdir(parents=True)
    (tmp_path / "in" / "song" / "vocals.wav").write_bytes(b"sound")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (tmp_path / "in" / "song" / "drums.wav").symlink_to(tmp_path / "secret.wav")
    container = DiskContainer(tmp_path / "in")
    assert [(found.folder, found.name) for found in container.found()] == [("song", "vocals.wav")]
    assert content(container) == b"sound"


def test_the_folder_of_one_song_is_that_song(tmp_path: Path) -> None:
    (tmp_path / "My song").mkdir()
    (tmp_path / "My song" / "vocals.wav").write_bytes(b"sound")
    (found,) = DiskContainer(tmp_path / "My song").found()
    assert found.folder == "My song"


def test_single_files_are_of_the_folder_that_is_said_with_them(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(b"sound")
    container = LooseContainer({"My song/vocals.wav": tmp_path / "1", "drums.wav": tmp_path / "1"})
    assert [(found.folder, found.name) for found in container.found()] == [("", "drums.wav"), ("My song", "vocals.wav")]
