"""What `bench/separation.py` found, as Markdown tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.page import table

Found = dict[str, Any]


def tables(found: Found) -> str:
    """Of the parts that were run."""
    made = [make(found) for key, make in _TABLES.items() if key in found]
    return "\n\n".join([f"**Machine:** {found['machine']}.", *made])


def _speed(found: Found) -> str:
    rows = [["HTDemucs, 30 s", "seconds", "times as fast", "against exact"]]
    s = found["htdemucs_s"]
    rows.append(["`demucs.api.Separator`, shifts=0", f"{s['package']:.1f}", "1", "–"])
    difference = f"{found['htdemucs_exact_difference']:.0e} of full scale"
    rows.append(["exact (float32)", f"{s['exact']:.1f}", f"{found['htdemucs_exact_speedup']:.2f}", difference])
    snr = f"SNR {found['htdemucs_fast_snr_db']:.1f} dB"
    name = f"fast ({found['htdemucs_fast']})"
    rows.append([name, f"{s['fast']:.1f}", f"{found['htdemucs_cpu_speedup']:.2f}", snr])
    return table(rows)


def _job(found: Found) -> str:
    s = found["job_s"]
    rows = [["HTDemucs, 30 s", "seconds"], ["forward passes of its windows alone", f"{s['forward']:.2f}"]]
    rows.append(["whole job: decode, separate, encode, store", f"{s['job']:.2f}"])
    rows.append(["overhead", f"{100 * found['htdemucs_job_overhead']:.1f} %"])
    return table(rows)


def _spleeter(found: Found) -> str:
    rows = [["Spleeter 4stems", "graph rebuilt per call, s", "graph kept, s", "times as fast"]]
    for seconds, s in found["spleeter_s"].items():
        ratio = f"{s['package'] / s['ours']:.1f}"
        rows.append([f"{seconds} s of audio", f"{s['package']:.2f}", f"{s['ours']:.2f}", ratio])
    return table(rows) + f"\n\nLargest difference between the two: {found['spleeter_difference']:.0e} of full scale."


def _excerpts(found: Found) -> str:
    songs = found["excerpts_songs"]
    rows = [[f"{2 * songs} excerpts of 10 s from {songs} songs of 3 min", "packages, s", "StemMOS, s", "times as fast"]]
    for family, s in found["excerpts_s"].items():
        rows.append([family, f"{s['package']:.0f}", f"{s['ours']:.0f}", f"{s['package'] / s['ours']:.1f}"])
    rows.append(["all three", *_totals(found["excerpts_s"]), f"{found['excerpts_speedup']:.2f}"])
    return (
        table(rows)
        + f"\n\nLargest difference from the cut of the packages' whole songs: {found['excerpts_difference']:.0e}."
    )


def _totals(of: dict[str, dict[str, float]]) -> list[str]:
    return [f"{sum(s[name] for s in of.values()):.0f}" for name in ("package", "ours")]


def _exactness(found: Found) -> str:
    of = found["exactness"]
    places = [place for place in next(iter(of.values())) if place != "way"]
    rows = [["largest difference from the package's whole song", *(f"`{key}`" for key in of)]]
    rows += [[place, *(f"{of[key][place]:.0e}" for key in of)] for place in places]
    rows.append(["how a part is separated", *(of[key]["way"] for key in of)])
    return table(rows)


def _memory(found: Found) -> str:
    rows = [["peak memory of the process, MB", "30 s", "30 min"]]
    keys = dict(zip(("umxhq", "spleeter:4stems", "htdemucs"), found["peak_mb"].values(), strict=True))
    for key, peak in (keys | {"umxl": found["peak_mb_umxl"]}).items():
        rows.append([f"`{key}`", f"{found['peak_mb_30_s'][key]}", f"{peak}"])
    return table(rows)


_TABLES: dict[str, Callable[[Found], str]] = {
    "htdemucs_s": _speed,
    "job_s": _job,
    "spleeter_s": _spleeter,
    "excerpts_s": _excerpts,
    "exactness": _exactness,
    "peak_mb": _memory,
}
