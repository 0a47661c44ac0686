"""Range requests, as Safari's audio element makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import job_done_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def stem() -> Any:
    return job_done_make(sources=["vocals"]).stems.get()


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def get(client: Client, stem: Any, wanted: str = "") -> Any:
    return client.get(f"/stems/{stem.pk}.flac", headers={"range": wanted} if wanted else {})


def test_whole_file(researcher_client: Client, stem: Any) -> None:
    response = get(researcher_client, stem)
    data = Path(stem.file.path).read_bytes()
    assert response.status_code == 200 and body(response) == data
    assert response["Content-Type"] == "audio/flac"
    assert response["Content-Length"] == str(len(data))
    assert response["Accept-Ranges"] == "bytes"
    assert "private" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-1", slice(0, 2)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-50", slice(-50, None)),
        ("bytes=70000-140000", slice(70_000, 140_001)),
        ("bytes=10-99999999", slice(10, None)),
        ("bytes=-99999999", slice(0, None)),
    ],
)
def test_part_of_the_file(researcher_client: Client, stem: Any, wanted: str, part: slice) -> None:
    response = get(researcher_client, stem, wanted)
    data = Path(stem.file.path).read_bytes()
    first, last, _step = part.indices(len(data))
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last - 1}/{len(data)}"
    assert response["Content-Length"] == str(last - first)
    assert body(response) == data[part]


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=5-2", "bytes=-0"])
def test_range_outside_of_the_file(researcher_client: Client, stem: Any, wanted: str) -> None:
    response = get(researcher_client, stem, wanted)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{Path(stem.file.path).stat().st_size}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-9", "bytes=-", "items=0-5", "bytes=a-b", "nonsense"])
def test_ranges_that_may_be_ignored_give_the_whole_file(researcher_client: Client, stem: Any, wanted: str) -> None:
    response = get(researcher_client, stem, wanted)
    assert response.status_code == 200 and len(body(response)) == Path(stem.file.path).stat().st_size


def test_head_says_how_long_it_is_without_sending_it(researcher_client: Client, stem: Any) -> None:
    response = researcher_client.head(f"/stems/{stem.pk}.flac")
    assert response["Content-Length"] == str(Path(stem.file.path).stat().st_size)
    assert body(response) == b""


def test_no_header_tells_the_name_of_the_file(researcher_client: Client, stem: Any) -> None:
    headers = str(dict(get(researcher_client, stem).items()))
    assert "vocals" not in headers and str(stem.job_id) not in headers


def test_file_that_is_gone_is_not_found(researcher_client: Client, stem: Any) -> None:
    Path(stem.file.path).unlink()
    assert get(researcher_client, stem).status_code == 404


def test_mixture_is_served_in_the_same_way(researcher_client: Client, stem: Any) -> None:
    response = researcher_client.get(f"/songs/{stem.song_id}/mixture.flac", headers={"range": "bytes=0-3"})
    assert response.status_code == 206 and body(response) == b"fLaC"
