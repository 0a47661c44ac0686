"""Downloads from a real HTTP server that fails in every way: resumed, checked, never there before they are whole."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from separation.separators.base import WeightsMismatch
from separation.separators.weights import DEMO, PUBLISHED, WeightsFile, WeightsSet, contents
from separation.separators.weights import catalogue as catalogue_module
from separation.separators.weights import fetching as module
from separation.separators.weights.fetching import FetchFailed, fetch
from tests.separation.separators.weights_server import Server, running_server

CONTENT = np.random.default_rng(8).bytes(1_000_003)
NAME = "vocals.bin"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    monkeypatch.setattr(module, "BLOCK", 10_000)
    return slept


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMMOS_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    with running_server() as running:
        running.files[f"/{NAME}"] = CONTENT
        yield running


@pytest.fixture
def toy(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The variant "toy" of one file; where that file will be."""
    _publish(server, monkeypatch, CONTENT)
    return home / "toys" / "toy" / NAME


def _publish(server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes, size: int | None = -1) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    length = len(content) if size == -1 else size
    file = WeightsFile(NAME, length, sha256, "fetch", f"{server.address}/{NAME}")
    monkeypatch.setitem(PUBLISHED, "toy", lambda key, home: WeightsSet(home / "toys" / "toy", (file,), server.address))


def _left(home: Path) -> list[str]:
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


def test_a_file_arrives_whole_and_alone(toy: Path, home: Path) -> None:
    told: list[tuple[int, int | None]] = []
    assert fetch("toy", lambda name, done, size: told.append((done, size))) == [toy]
    assert toy.read_bytes() == CONTENT
    assert _left(home) == ["toys/toy/vocals.bin"]
    assert told[-1] == (len(CONTENT), len(CONTENT)) and [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_is_there_is_not_fetched_again_but_what_is_wrong_is(toy: Path, server: Server) -> None:
    fetch("toy")
    assert fetch("toy") == [] and len(server.requests) == 1
    toy.write_bytes(b"half")
    assert fetch("toy") == [toy] and toy.read_bytes() == CONTENT


def test_dropped_connections_are_taken_up_where_they_broke(toy: Path, server: Server, pauses: list[float]) -> None:
    server.drops = [300_000, 1, 0, 0, 400_000]
    fetch("toy")
    assert toy.read_bytes() == CONTENT
    ranges = [request.partition(" ")[2] for request in server.requests]
    assert ranges == ["", "bytes=300000-", "bytes=300001-", "bytes=300001-", "bytes=300001-", "bytes=700001-"]
    assert pauses == [1, 1, 1, 2, 1], "longer only while nothing comes"


def test_a_server_that_ignores_ranges_sends_it_all_again(toy: Path, server: Server) -> None:
    server.ignores_range = True
    server.drops = [300_000, 500_000]
    fetch("toy")
    assert toy.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_server_that_says_no_length_is_believed_only_with_the_hash(
    size: int | None, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(server, monkeypatch, CONTENT, size)
    server.says_length = False
    server.drops = [300_000] if size else []
    fetch("toy")
    assert (home / "toys" / "toy" / NAME).read_bytes() == CONTENT


def test_after_giving_up_the_next_fetch_goes_on_and_nothing_half_was_in_place(
    toy: Path, server: Server, home: Path, pauses: list[float]
) -> None:
    server.drops = [600_000, *[0] * 20]
    with pytest.raises(FetchFailed, match="600,000 bytes are kept"):
        fetch("toy")
    assert not toy.exists()
    assert _left(home) == [".incoming/toy/vocals.bin.part"]
    assert pauses[1:] == [1, 2, 4, 8]
    server.drops = []
    server.requests.clear()
    fetch("toy")
    assert toy.read_bytes() == CONTENT and server.requests == [f"/{NAME} bytes=600000-"]
    assert _left(home) == ["toys/toy/vocals.bin"]


def test_a_busy_server_is_asked_again(toy: Path, server: Server) -> None:
    server.statuses = [503, 429, 500]
    fetch("toy")
    assert toy.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 403])
def test_what_is_gone_is_said_at_once(toy: Path, server: Server, status: int, pauses: list[float]) -> None:
    server.statuses = [status] * 9
    with pytest.raises(FetchFailed, match=f"HTTP {status}"):
        fetch("toy")
    assert pauses == [] and len(server.requests) == 1


def test_without_a_network_it_says_so(toy: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = WeightsFile(NAME, 5, "0" * 64, "fetch", "http://127.0.0.1:9/nothing")
    monkeypatch.setitem(PUBLISHED, "toy", lambda key, home: WeightsSet(home, (file,), ""))
    with pytest.raises(FetchFailed, match="Connection refused"):
        fetch("toy")


def test_other_kinds_of_address_are_not_opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = WeightsFile(NAME, 5, "0" * 64, "fetch", "file:///etc/hostname")
    monkeypatch.setitem(PUBLISHED, "toy", lambda key, home: WeightsSet(home, (file,), ""))
    with pytest.raises(FetchFailed, match="no address"):
        fetch("toy")


def test_a_file_of_another_length_is_refused_before_it_is_fetched(toy: Path, server: Server, home: Path) -> None:
    server.files[f"/{NAME}"] = CONTENT + b"more"
    with pytest.raises(FetchFailed, match="1,000,007 bytes instead of 1,000,003"):
        fetch("toy")
    assert not toy.exists()


def test_a_file_with_another_hash_never_arrives(toy: Path, server: Server, home: Path) -> None:
    server.files[f"/{NAME}"] = CONTENT[:-1] + b"x"
    with pytest.raises(FetchFailed, match="sha256"):
        fetch("toy")
    assert _left(home) == []


def test_a_rest_that_belongs_to_another_file_is_thrown_away_once(toy: Path, server: Server, home: Path) -> None:
    part = home / ".incoming" / "toy" / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 600_000)
    fetch("toy")
    assert toy.read_bytes() == CONTENT
    assert [request.partition(" ")[2] for request in server.requests] == ["bytes=600000-", ""]


def test_a_second_process_does_not_write_into_the_same_file(toy: Path, home: Path) -> None:
    import fcntl

    part = home / ".incoming" / "toy" / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FetchFailed, match="another process"):
            fetch("toy")
    fetch("toy")
    assert toy.read_bytes() == CONTENT


# ── Spleeter's archives ──────────────────────────────────────────────────────────────────────────────────────────

DATA, INDEX = "model.data-00000-of-00001", "model.index"
Publish = Callable[[bytes], Path]


@pytest.fixture
def publish(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish an archive with the demo's checkpoint as the variant "toy"; where its files will be."""
    source = DEMO / "spleeter"
    shapes = {name: shape for name, (_, shape) in contents._read(source / INDEX).items()}
    listing = contents.listing
    monkeypatch.setattr(contents, "listing", lambda name: shapes if name == "toy" else listing(name))
    url = f"{server.address}/toy.tar.gz"
    data = source / DATA
    files = (
        WeightsFile(DATA, data.stat().st_size, hashlib.sha256(data.read_bytes()).hexdigest(), "fetch", url),
        WeightsFile(INDEX, None, None, "fetch", url, "toy"),
    )
    monkeypatch.setitem(PUBLISHED, "toy", lambda key, home: WeightsSet(home / "spleeter" / "toy", files, url))

    def give(archive: bytes) -> Path:
        server.files["/toy.tar.gz"] = archive
        monkeypatch.setitem(catalogue_module.ARCHIVES, url, hashlib.sha256(archive).hexdigest())
        return home / "spleeter" / "toy"

    return give


def _archive(*members: tuple[str, Path | bytes | str]) -> bytes:
    """A `.tar.gz`; a text stands for a link to it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
                continue
            value = content.read_bytes() if isinstance(content, Path) else content
            member.size = len(value)
            archive.addfile(member, io.BytesIO(value))
    return buffer.getvalue()


GOOD = ((f"./{DATA}", DEMO / "spleeter" / DATA), (INDEX, DEMO / "spleeter" / INDEX))


def test_the_files_of_an_archive_arrive_and_nothing_else_of_it(publish: Publish, server: Server, home: Path) -> None:
    folder = publish(_archive(("../../evil", b"x"), ("/tmp/evil", b"x"), ("._model.index", b"x"), *GOOD, ("link", "/")))
    server.drops = [30_000, 5]
    assert sorted(path.name for path in fetch("toy")) == [DATA, INDEX]
    assert _left(home) == [f"spleeter/toy/{DATA}", f"spleeter/toy/{INDEX}"]
    assert (folder / DATA).read_bytes() == (DEMO / "spleeter" / DATA).read_bytes()
    assert fetch("toy") == []


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (GOOD[:1], "does not hold model.index"),
        ((("../" + DATA, DEMO / "spleeter" / DATA), GOOD[1]), f"does not hold {DATA}"),
        (((DATA, "/etc/hostname"), GOOD[1]), f"does not hold {DATA}"),
        ((*GOOD, GOOD[0]), "doubled"),
        (((DATA, b"short"), GOOD[1]), "has 5 bytes"),
        ((GOOD[0], (INDEX, b"\0" * 2_000_000)), "has 2000000 bytes"),
        ((GOOD[0], (INDEX, b"no index")), "no TensorFlow index"),
    ],
    ids=["a file less", "a path upwards", "a link", "one twice", "short", "a bomb", "another content"],
)
def test_an_archive_at_fault_leaves_nothing(
    publish: Publish, home: Path, members: tuple[tuple[str, Path | bytes | str], ...], why: str
) -> None:
    folder = publish(_archive(*members))
    with pytest.raises(WeightsMismatch, match=why):
        fetch("toy")
    assert not folder.exists() and _left(home) == []


def test_a_damaged_archive_is_a_mismatch(publish: Publish) -> None:
    folder = publish(_archive(*GOOD)[:-5000])
    with pytest.raises(WeightsMismatch, match="damaged"):
        fetch("toy")
    assert not folder.exists()
