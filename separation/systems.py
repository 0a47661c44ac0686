"""What the systems page says: every separator with what is known of it, and whether it can run here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.utils.translation import gettext_lazy as _

from separation import messages
from separation.models import Source
from separation.separators import registry
from separation.separators.base import Published, SeparatorSpec
from separation.separators.packages import WEIGHTS as PACKAGE
from separation.separators.variants import REFERENCES
from separation.separators.verdicts import verdict_of
from separation.separators.weights import published_home, unpinned

FIGURE_COLUMNS = ("all", "vocals", "drums", "bass", "other")


@dataclass(frozen=True)
class Family:
    key: str
    name: Any
    package: str  # on the Python package index
    account: tuple[Any, ...]  # paragraphs
    paper: str


FAMILIES = (
    Family(
        "openunmix",
        "Open-Unmix",
        "openunmix",
        (
            _(
                "One network for each source works on the magnitudes of the spectrogram: three bidirectional LSTM "
                "layers between fully connected ones, written for PyTorch. It listens to frequencies up to 16 kHz and "
                "estimates those above as well."
            ),
            _(
                "A multichannel Wiener filter then turns the estimates into stems that share out the mixture, phase "
                "included. The recurrence runs over the whole song in both directions, so a part of a song cannot be "
                "separated exactly without the rest."
            ),
        ),
        "Stöter et al. 2019, doi 10.21105/joss.01667",
    ),
    Family(
        "spleeter",
        "Spleeter",
        "spleeter",
        (
            _(
                "A convolutional network for each source, a U-Net of twelve layers, gives a mask for the magnitudes of "
                "the spectrogram, in blocks of twelve seconds. It is written for TensorFlow, whatever a paper says of "
                "PyTorch, and runs in TensorFlow here."
            ),
            _(
                "Its stems are silent above 11 kHz; the 16 kHz forms run the same weights over more frequencies. The "
                "masks are used as they are: the multichannel Wiener filter, which its authors measured too, is not."
            ),
        ),
        "Hennequin et al. 2020, doi 10.21105/joss.02154",
    ),
    Family(
        "demucs",
        "Demucs",
        "demucs",
        (
            _(
                "HTDemucs is a hybrid of two U-Nets, one on the waveform and one on the spectrogram, joined in the "
                "middle by a transformer whose attention looks within each of them and across both, in windows of 7.8 "
                "seconds. It is written for PyTorch."
            ),
            _(
                "The older Hybrid Demucs has the two branches without the transformer: in the middle it has "
                "convolutions with recurrent layers and local attention, in windows of 44 seconds. Windows overlap and "
                "are faded into each other. These models also run in a fast precision, which every job records."
            ),
        ),
        "Rouard et al. 2023, arXiv 2211.08553; Défossez 2021, arXiv 2111.03600",
    ),
)

DEMO_REMARK = _(
    "Small weights that this project trained on synthetic songs, so that everything can be tried at once. They say "
    "nothing about the published system."
)
WIDE_REMARK = _("The same weights over frequencies up to 16 kHz. No figures were published for this form.")
REMARKS = {
    "umxhq": _("Trained on MUSDB18-HQ, the uncompressed form."),
    "umx": _("Trained on MUSDB18, whose compressed sound ends at 16 kHz."),
    "umxl": _(
        "Layers twice as wide, trained on more music, which is not public. Its weights must not be used commercially, "
        "and what is made from them is to be shared under the same licence."
    ),
    "spleeter:2stems": _("The voice, and everything else as one stem."),
    "spleeter:4stems": _("The four usual sources."),
    "spleeter:5stems": _("Piano as a fifth source. The five masks compete, so that they always add up to one."),
    "htdemucs": _("One model, trained on MUSDB18-HQ and 800 more songs."),
    "htdemucs_ft": _("Four models, each of them refined for one source: four times the work of HTDemucs."),
    "htdemucs_6s": _("Guitar and piano besides. Its authors call it an experiment, and its piano not good yet."),
    "hdemucs_mmi": _("Hybrid Demucs, trained again on the songs that HTDemucs was trained on."),
    "mdx_extra": _(
        "The mean of four Hybrid Demucs models, second in a track of the Music Demixing Challenge 2021. Its training "
        "songs include the test songs of MUSDB18, so figures on these would mean nothing."
    ),
}


@dataclass(frozen=True)
class Row:
    """One separator on the page."""

    spec: SeparatorSpec
    remark: Any
    sources: list[Any]
    bandwidth: float  # kHz
    state: str  # "ready", "missing", "partial" or "wrong"
    why: str
    how: str


def families() -> list[dict[str, Any]]:
    """The three families with their variants, then those that other packages bring."""
    rows = [_row(spec) for spec in registry.all_specs()]
    own = [row for row in rows if row.spec.weights == PACKAGE]
    known = [
        {"family": family, "version": _version(family.package), "rows": [row for row in rows if _is_of(row, family)]}
        for family in FAMILIES
    ]
    return [*known, {"family": None, "rows": own}] if own else known


def _is_of(row: Row, family: Family) -> bool:
    return row.spec.family == family.key and row.spec.weights != PACKAGE


def _row(spec: SeparatorSpec) -> Row:
    problem = registry.available(spec.key)
    return Row(
        spec=spec,
        remark=_remark(spec),
        sources=[Source(source).label for source in spec.sources],
        bandwidth=spec.bandwidth / 1000,
        state=verdict_of(spec, problem),
        why=messages.explanation(problem.code, problem.params) if problem else "",
        how=messages.command(problem.params) if problem else "",
    )


def _remark(spec: SeparatorSpec) -> Any:
    if spec.is_demo:
        return DEMO_REMARK
    return WIDE_REMARK if spec.key.endswith("-16kHz") else REMARKS.get(spec.key, "")


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────


def figures() -> dict[str, Any]:
    """Published SDR: of what can run here, then of systems that cannot, each with a note of where it stands."""
    here = [(spec.name, spec.published) for spec in registry.all_specs() if spec.published]
    elsewhere = [(reference.name, reference.published) for reference in REFERENCES]
    places = list(dict.fromkeys(one.where for _, published in here + elsewhere for one in published))
    return {
        "columns": [_("All") if column == "all" else Source(column).label for column in FIGURE_COLUMNS],
        "here": [_figure_row(*system, places, digits=2) for system in here],
        "elsewhere": [_figure_row(*system, places, digits=1) for system in elsewhere],
        "places": places,
    }


def _figure_row(name: str, published: tuple[Published, ...], places: list[str], *, digits: int) -> dict[str, Any]:
    """A value for each column (None where there is none), its digits, and the number of the place."""
    values = {one.source: one.sdr for one in published}
    cells = [values.get(column) for column in FIGURE_COLUMNS]
    return {"name": name, "cells": cells, "digits": digits, "note": places.index(published[0].where) + 1}


def page() -> dict[str, Any]:
    return {
        "section": "systems",
        "families": families(),
        "figures": figures(),
        "home": published_home(),
        "unpinned": unpinned(),
        "broken": registry.broken_packages(),
    }
