"""A listener who writes down all that the server says, and tries to learn from it which clips share a system.

`Eavesdropper` is a browser that keeps every answer whole: address, status, headers, cookies, bytes, and what it cost
the server (database queries, which stand for the time that a clock would tell). `observed` turns what was said around
one trial into named values. `findings` asks whether those values tell something that they must not.

What the sound itself is like is no leak: hearing it is what the listener is there for. All else is: sizes, headers,
names, order, and how the file is built around the samples.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.http import HttpResponse, HttpResponseBase
from scipy.stats import rankdata

from listening_test.models import Clip, Trial
from tests.listening_test.visits import Browser

Values = dict[str, str]
Matrix = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


# ── What was said ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Exchange:
    """One request and all that came back."""

    door: str
    url: str
    status: int
    headers: Mapping[str, str]
    cookies: str
    body: bytes
    queries: int

    def text(self) -> str:
        """All of it but sound."""
        kind = self.headers.get("Content-Type", "")
        said = self.body.decode(errors="replace") if kind.startswith(("text/", "application/json")) else ""
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return f"{self.url}\n{headers}\n{self.cookies}\n{said}"


@dataclass
class Presentation:
    """A trial as its listener met it: what was said around it, and the truth, which the listener must not find out."""

    session: int
    trial: Trial
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def clip(self) -> Clip:
        return self.trial.clip

    @property
    def place(self) -> tuple[int | None, str]:
        """Excerpt and source: those a listener may know."""
        announced = self.trial.announced
        return announced.excerpt_id, announced.source

    @property
    def is_spoken_check(self) -> bool:
        return self.clip.purpose == Clip.Purpose.TRAP


class Queries:
    """Counts them, and costs nothing beside it."""

    made = 0

    def __call__(self, execute: Callable[..., Any], *query: Any) -> Any:
        self.made += 1
        return execute(*query)


class Eavesdropper(Browser):
    """Every request goes through `ask`, which remembers the answer."""

    exchanges: list[Exchange]

    def ask(self, door: str, call: Callable[..., HttpResponseBase], *args: Any, **options: Any) -> HttpResponse:
        count = Queries()
        with connection.execute_wrapper(count):
            response: Any = call(*args, **options)
            body = b"".join(response.streaming_content) if response.streaming else response.content
        self.exchanges.append(
            Exchange(
                door=door,
                url=response.wsgi_request.get_full_path(),
                status=response.status_code,
                headers=dict(response.items()),
                cookies=response.cookies.output(),
                body=body,
                queries=count.made,
            )
        )
        return response

    def heard_of(self, since: int) -> list[Exchange]:
        return self.exchanges[since:]

    def everything(self) -> str:
        return "\n".join(exchange.text() for exchange in self.exchanges).lower()


# ── Named values ────────────────────────────────────────────────────────────────────────────────────────────────────


def observed(presentation: Presentation) -> Values:
    """Everything around one trial that could be compared with another one's."""
    values: Values = {}
    seen: Counter[str] = Counter()
    for exchange in presentation.exchanges:
        seen[exchange.door] += 1
        number = seen[exchange.door]
        for name, value in _said(exchange):
            values[f"{exchange.door}{number}.{name}"] = value
    return values


def _said(exchange: Exchange) -> Iterator[tuple[str, str]]:
    path, _, query = exchange.url.partition("?")
    yield "status", str(exchange.status)
    yield "bytes", str(len(exchange.body))
    yield "queries", str(exchange.queries)
    yield "last of the address", path.rstrip("/").rsplit("/", 1)[-1]
    yield "query", query
    for name, value in exchange.headers.items():
        yield f"header {name.lower()}", value
    kind = exchange.headers.get("Content-Type", "")
    if kind.startswith("application/json"):
        yield from _leaves("json", json.loads(exchange.body))
    elif kind.startswith("text/html"):
        yield "tags", str(exchange.body.count(b"<"))
    elif exchange.door == "clip" and exchange.body:
        yield from file_facts(exchange.body)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield f"{name} keys", " ".join(value)
        for key, part in value.items():
            yield from _leaves(f"{name}.{key}", part)
    elif isinstance(value, list):
        yield f"{name} length", str(len(value))
        for number, part in enumerate(value):
            yield from _leaves(f"{name}.{number}", part)
    else:
        yield name, str(value)


# ── How a file is built around its samples ──────────────────────────────────────────────────────────────────────────


def file_facts(data: bytes) -> Iterator[tuple[str, str]]:
    """Of a FLAC file, everything but the samples; of any other, every byte."""
    around, parts = _flac(data) if data.startswith(b"fLaC") else (data, [0])
    sizes = np.diff([*parts, len(data)])
    histogram = np.bincount(np.frombuffer(around, dtype=np.uint8), minlength=256) / len(around)
    present = histogram[histogram > 0]
    yield "digest of the file", hashlib.sha256(data).hexdigest()
    yield "bytes before the sound", str(parts[0])
    yield "digest before the sound", hashlib.sha256(around).hexdigest()
    yield "entropy before the sound", f"{-(present * np.log2(present)).sum():.6f}"
    yield "zeros before the sound", str(around.count(0))
    yield "packed", str(len(zlib.compress(around, 1)))
    yield "zeros at the end", str(len(data) - len(data.rstrip(b"\0")))
    yield "parts", str(len(parts))
    for name, value in (("mean", sizes.mean()), ("least", sizes.min()), ("most", sizes.max()), ("spread", sizes.std())):
        yield f"size of a part, {name}", f"{value:.3f}"


def _flac(data: bytes) -> tuple[bytes, list[int]]:
    """The metadata (RFC 9639, section 8) and where each frame begins (section 9.1)."""
    end, last = 4, False
    while not last:
        last = bool(data[end] & 0x80)
        end += 4 + int.from_bytes(data[end + 1 : end + 4], "big")
    raw = np.frombuffer(data, dtype=np.uint8)
    found = end + np.flatnonzero((raw[end:-1] == 0xFF) & ((raw[end + 1 :] & 0xFE) == 0xF8))
    return data[:end], [int(place) for place in found if _is_frame(data, int(place))]


def _is_frame(data: bytes, at: int) -> bool:
    """Whether the header that would begin here has the right CRC-8."""
    number = data[at + 4 : at + 5]
    if not number:
        return False
    length = 5 + max(0, next((n - 1 for n in range(7, 1, -1) if number[0] >> (8 - n) == (1 << n) - 1), 0))
    block, rate = data[at + 2] >> 4, data[at + 2] & 0xF
    length += {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    return len(data) > at + length and _crc8(data[at : at + length]) == data[at + length]


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _bit in range(8):
            value = (value << 1) ^ (0x107 if value & 0x80 else 0)
    return value & 0xFF


# ── What can be learned from pairs ──────────────────────────────────────────────────────────────────────────────────

STEPS = (2, 3, 4, 5, 6, 7, 8)  # numbers that count clips come round after as many systems as there are


def pair_features(
    presentations: Sequence[Presentation], pairs: Sequence[tuple[int, int]], *, leave_out: str = "$^"
) -> tuple[Matrix, list[str]]:
    """`[pairs, features]`: how alike the two of each pair are in every value.

    Features that never vary are left out, and values whose names match `leave_out`.
    """
    values = [observed(presentation) for presentation in presentations]
    names = [name for name in sorted(set().union(*values)) if not re.search(leave_out, name)]
    columns: dict[str, list[float]] = {}
    for name in names:
        mine = [value.get(name, "") for value in values]
        numbers = [_number(value) for value in mine]
        for kind, compare in _comparisons(mine, numbers).items():
            columns[f"{name}: {kind}"] = [compare(i, j) for i, j in pairs]
    varied = {name: column for name, column in columns.items() if min(column) != max(column)}
    return np.array(list(varied.values()), dtype=float).reshape(len(varied), len(pairs)).T, list(varied)


def _comparisons(mine: list[str], numbers: list[float | None]) -> dict[str, Callable[[int, int], float]]:
    compare: dict[str, Callable[[int, int], float]] = {
        "equal": lambda i, j: float(mine[i] == mine[j]),
        "common beginning": lambda i, j: float(len(os.path.commonprefix([mine[i], mine[j]]))),
    }
    if all(number is not None for number in numbers):
        exact = [number or 0.0 for number in numbers]
        compare["distance"] = lambda i, j: -abs(exact[i] - exact[j])
        for step in STEPS:
            compare[f"multiple of {step} apart"] = lambda i, j, step=step: float((exact[i] - exact[j]) % step == 0)
    return compare


def _number(value: str) -> float | None:
    """The value as a number, else the last number in it, as in `clip-0012`."""
    try:
        return float(value)
    except ValueError:
        found = re.findall(r"\d{1,12}", value)
        return float(found[-1]) if found else None


@dataclass(frozen=True)
class Finding:
    """How well something was told, and how often chance does as well or better."""

    auc: float
    p: float
    by: str


def findings(features: Matrix, names: list[str], truth: Labels, chance: npt.NDArray[np.bool_]) -> list[Finding]:
    """Two tries at telling `truth` `[pairs]` from `features` `[pairs, features]`, against `chance` `[pairs, draws]`.

    The best single feature, and a linear discriminant (ridge regression on the labels, which is Fisher's up to a
    factor) that is judged on pairs that it was not fitted to. `chance` is the truth with its systems exchanged where
    they may be: the tries are repeated on it, so that a try's p-value is (1 + as good by chance) / (1 + draws).
    """
    labels = np.column_stack([truth, chance]).astype(float)
    single = _auc(np.apply_along_axis(rankdata, 0, features), labels)
    joint = _cross_validated(features, labels)
    best = int(np.argmax(np.abs(single[:, 0] - 0.5)))
    return [
        Finding(float(single[best, 0]), _p(np.abs(single - 0.5).max(axis=0)), names[best]),
        Finding(
            float(joint[0]), _p(joint), f"all together, most of all {', '.join(_heaviest(features, names, labels))}"
        ),
    ]


def _p(statistics: Matrix) -> float:
    """The first one is the truth's; ties count against it, but for rounding."""
    return float(np.mean(statistics >= statistics[0] - 1e-9))


def _auc(ranks: Matrix, labels: Matrix) -> Matrix:
    """`[features, draws]` area under the ROC curve, from ranks (Hanley and McNeil 1982)."""
    ones = labels.sum(axis=0)
    return (ranks.T @ labels - ones * (ones + 1) / 2) / (ones * (len(labels) - ones))


FOLDS = 5
RIDGE = 10.0  # in pairs' worth: features are standardised


def _cross_validated(features: Matrix, labels: Matrix) -> Matrix:
    """`[draws]` AUC of scores that each fold gets from weights that were fitted to the others."""
    scaled, fold = _scaled(features), np.arange(len(labels)) % FOLDS
    scores = np.empty_like(labels)
    for number in range(FOLDS):
        weights = _weights(scaled[fold != number], labels[fold != number])
        scores[fold == number] = scaled[fold == number] @ weights
    ranks = np.apply_along_axis(rankdata, 0, scores)
    ones = labels.sum(axis=0)
    return ((ranks * labels).sum(axis=0) - ones * (ones + 1) / 2) / (ones * (len(labels) - ones))


def _scaled(features: Matrix) -> Matrix:
    return (features - features.mean(axis=0)) / features.std(axis=0)


def _weights(scaled: Matrix, labels: Matrix) -> Matrix:
    ridge = scaled.T @ scaled + RIDGE * np.eye(scaled.shape[1])
    return np.linalg.solve(ridge, scaled.T @ (labels - labels.mean(axis=0)))


def _heaviest(features: Matrix, names: list[str], labels: Matrix) -> list[str]:
    """The three features that weigh most for the truth."""
    weights = np.abs(_weights(_scaled(features), labels[:, :1])[:, 0])
    return [names[place] for place in np.argsort(-weights)[:3]]


# ── The truth, and what chance could have made of it ────────────────────────────────────────────────────────────────


def strangers(presentations: Sequence[Presentation]) -> list[tuple[int, int]]:
    """Pairs of different excerpts or sources: two systems of one excerpt and source are known to differ."""
    rated = [number for number, presentation in enumerate(presentations) if not presentation.is_spoken_check]
    return [(i, j) for i, j in combinations(rated, 2) if presentations[i].place != presentations[j].place]


def same_system(
    presentations: Sequence[Presentation], pairs: Sequence[tuple[int, int]], *, draws: int, seed: int
) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Whether two share a system; and the same with the systems exchanged within each excerpt and source."""
    clips = {presentation.clip.pk: presentation.clip for presentation in presentations if presentation.clip.excerpt_id}
    order = {pk: number for number, pk in enumerate(sorted(clips, key=str))}
    systems = np.unique([clips[pk].system for pk in order], return_inverse=True)[1]
    where: dict[tuple[int | None, str], list[int]] = {}
    for pk, number in order.items():
        where.setdefault((clips[pk].excerpt_id, clips[pk].source), []).append(number)
    rng = np.random.default_rng(seed)
    first = np.array([order[presentations[i].clip.pk] for i, _j in pairs])
    second = np.array([order[presentations[j].clip.pk] for _i, j in pairs])
    drawn = []
    for _draw in range(draws):
        exchanged = systems.copy()
        for numbers in where.values():
            exchanged[numbers] = rng.permutation(systems[numbers])
        drawn.append(exchanged[first] == exchanged[second])
    return systems[first] == systems[second], np.column_stack(drawn)


def neighbours(presentations: Sequence[Presentation]) -> list[tuple[int, int]]:
    """Pairs of one session, excerpt and source, asked on the same scales: in some of them a clip comes back."""

    def known(number: int) -> tuple[Any, ...]:
        one = presentations[number]
        return one.session, one.place, one.trial.scale

    rated = [number for number, presentation in enumerate(presentations) if not presentation.is_spoken_check]
    return [(i, j) for i, j in combinations(rated, 2) if known(i) == known(j)]


def companions(presentations: Sequence[Presentation]) -> list[tuple[int, int]]:
    """Pairs of one session: in some of them one is a spoken attention check and the other is not."""
    pairs = combinations(range(len(presentations)), 2)
    return [(i, j) for i, j in pairs if presentations[i].session == presentations[j].session]


def stands_out(
    presentations: Sequence[Presentation], pairs: Sequence[tuple[int, int]], *, draws: int, seed: int
) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Whether one of a pair is a spoken attention check; and the same with other trials of the session as checks."""
    checks = np.array([presentation.is_spoken_check for presentation in presentations])
    session = np.array([presentation.session for presentation in presentations])
    first, second = np.array(pairs).T
    rng = np.random.default_rng(seed)
    drawn = []
    for _draw in range(draws):
        exchanged = checks.copy()
        for number in np.unique(session):
            exchanged[session == number] = rng.permutation(checks[session == number])
        drawn.append(exchanged[first] != exchanged[second])
    return checks[first] != checks[second], np.column_stack(drawn)


def comes_back(
    presentations: Sequence[Presentation], pairs: Sequence[tuple[int, int]], *, draws: int, seed: int
) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Whether the second of a pair is the first one again; and the same with other pairs of the excerpt and source."""
    truth = np.array([presentations[i].clip.pk == presentations[j].clip.pk for i, j in pairs])
    where: dict[tuple[Any, ...], list[int]] = {}
    for number, (i, _j) in enumerate(pairs):
        where.setdefault((presentations[i].session, presentations[i].place), []).append(number)
    rng = np.random.default_rng(seed)
    drawn = []
    for _draw in range(draws):
        exchanged = truth.copy()
        for numbers in where.values():
            exchanged[numbers] = rng.permutation(truth[numbers])
        drawn.append(exchanged)
    return truth, np.column_stack(drawn)
