"""The published variants of the three model families and their demo forms: one row each, with what is known of it.

Figures are medians of the SDR in dB on the test part of MUSDB18 or MUSDB18-HQ, as their authors published them. A
variant without a figure of its own has none here: figures of a relative are not figures.
"""

from __future__ import annotations

from dataclasses import dataclass

from separation.separators.base import SAMPLE_RATE, Published, SeparatorSpec

SOURCES = ("vocals", "drums", "bass", "other")
SIX_SOURCES = (*SOURCES, "guitar", "piano")

MIT = "MIT"
NON_COMMERCIAL = "CC BY-NC-SA 4.0"

UMX_WHERE = "Stöter et al. 2019 (doi 10.21105/joss.01667); table in Hennequin et al. 2020 (doi 10.21105/joss.02154)"
UMXL_WHERE = "Stöter et al. 2021, UMX-L (doi 10.5281/zenodo.5069601)"
SPLEETER_WHERE = "Hennequin et al. 2020, soft masks (doi 10.21105/joss.02154)"
DEMUCS_WHERE = "Rouard et al. 2023 (arXiv 2211.08553)"

_OPENUNMIX = "separation.separators.openunmix:OpenUnmixSeparator"
_SPLEETER = "separation.separators.spleeter:SpleeterSeparator"
_DEMUCS = "separation.separators.demucs:DemucsSeparator"

FRAME = 4096  # samples of Spleeter's Fourier transform
BINS, BINS_16K = 1024, 1536  # "F" in the package's configurations: how many of its bins the networks see
_NARROW, _WIDE = BINS * SAMPLE_RATE // FRAME, BINS_16K * SAMPLE_RATE // FRAME  # Hz


def _figures(where: str, **sdr: float) -> tuple[Published, ...]:
    return tuple(Published(source, value, where) for source, value in sdr.items())


def _openunmix(key: str, licence: str = MIT, published: tuple[Published, ...] = ()) -> SeparatorSpec:
    name = f"Open-Unmix {key}"
    return SeparatorSpec(key, name, "openunmix", "published", SOURCES, _OPENUNMIX, licence=licence, published=published)


def _spleeter(stems: int, sources: tuple[str, ...], published: tuple[Published, ...] = ()) -> tuple[SeparatorSpec, ...]:
    """The form up to 11 kHz and the one up to 16 kHz, whose figures were not published."""
    key, name = f"spleeter:{stems}stems", f"Spleeter {stems}stems"
    rest = ("spleeter", "published", sources, _SPLEETER)
    return (
        SeparatorSpec(key, name, *rest, bandwidth=_NARROW, licence=MIT, published=published),
        SeparatorSpec(f"{key}-16kHz", f"{name} 16 kHz", *rest, bandwidth=_WIDE, licence=MIT),
    )


def _demucs(
    key: str, name: str, sources: tuple[str, ...] = SOURCES, published: tuple[Published, ...] = ()
) -> SeparatorSpec:
    return SeparatorSpec(key, name, "demucs", "published", sources, _DEMUCS, licence=MIT, published=published)


VARIANTS = (
    _openunmix("umxhq"),
    _openunmix("umx", published=_figures(UMX_WHERE, vocals=6.32, drums=5.73, bass=5.23, other=4.02)),
    _openunmix("umxl", NON_COMMERCIAL, _figures(UMXL_WHERE, vocals=7.21, drums=7.15, bass=6.02, other=4.89)),
    *_spleeter(2, ("vocals", "accompaniment")),
    *_spleeter(4, SOURCES, _figures(SPLEETER_WHERE, vocals=6.55, drums=5.93, bass=5.10, other=4.24)),
    *_spleeter(5, (*SOURCES, "piano")),
    _demucs("htdemucs", "HTDemucs"),
    _demucs(
        "htdemucs_ft",
        "HTDemucs ft",
        published=_figures(DEMUCS_WHERE, all=9.00, vocals=9.20, drums=10.08, bass=10.39, other=6.32),
    ),
    _demucs("htdemucs_6s", "HTDemucs 6s", SIX_SOURCES),
    _demucs("hdemucs_mmi", "Hybrid Demucs mmi"),
    _demucs("mdx_extra", "Hybrid Demucs mdx_extra"),
)


@dataclass(frozen=True)
class Reference:
    """A system that is not run here, for context: its outputs can be imported."""

    name: str
    published: tuple[Published, ...]


README_WHERE = "Défossez, comparison table of Demucs v4 (github.com/adefossez/demucs)"
BAND_SPLIT_WHERE = "Luo and Yu 2023 (arXiv 2209.15174)"

REFERENCES = tuple(
    Reference(name, (Published("all", sdr, where),))
    for name, sdr, where in (
        ("Wave-U-Net", 3.2, README_WHERE),
        ("Conv-TasNet", 5.7, README_WHERE),
        ("D3Net", 6.0, README_WHERE),
        ("KUIELAB-MDX-Net", 7.5, README_WHERE),
        ("Hybrid Demucs v3", 7.7, README_WHERE),
        ("Band-Split RNN", 8.9, BAND_SPLIT_WHERE),
        ("Sparse HT Demucs", 9.20, DEMUCS_WHERE),
    )
)

DEMOS = (
    SeparatorSpec("umx:demo", "Open-Unmix demo", "openunmix", "demo", SOURCES, _OPENUNMIX, licence=MIT),
    SeparatorSpec("spleeter:demo", "Spleeter demo", "spleeter", "demo", SOURCES, _SPLEETER, _NARROW, licence=MIT),
    SeparatorSpec("htdemucs:demo", "HTDemucs demo", "demucs", "demo", SOURCES, _DEMUCS, licence=MIT),
)
