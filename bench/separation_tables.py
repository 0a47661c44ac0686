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
    snr = f"SNR {found['htdemucs_fast_snr_db']:.1f} dB" if found["htdemucs_fast_snr_db"] else "equal"
    name = f"fast ({found['htdemucs_fast']})"
    rows.append([name, f"{s['fast']:.1f}", f"{found['htdemucs_speedup']:.2f}", snr])
    return table(rows)


def _gpu(found: Found) -> str:
    return f"On {found['gpu']['device']}:\n\n{_speed(found['gpu'])}"


def _job(found: Found) -> str:
    s = found["job_s"]
    rows = [["HTDemucs, 30 s", "seconds"], ["forward passes of its windows alone", f"{s['forward']:.2f}"]]
    rows.append(["whole job: decode, separate, encode, store", f"{s['job']:.2f}"])
    rows.append(["overhead", f"{100 * found['htdemucs_job_overhead']:.1f} %"])
    return table(rows)


SPLEETER = {
    "separator": "Spleeter's own `Separator` (TensorFlow 2.12)",
    "rebuilt": "its graph built at every call (TensorFlow as here)",
    "ours": "its graph kept",
}


def _spleeter(found: Found) -> str:
    times = found["spleeter_s"]
    rows = [["Spleeter 4stems", *(f"{seconds} s of audio, s" for seconds in times), "ours is times as fast"]]
    for name, said in SPLEETER.items():
        if all(name in s for s in times.values()):
            ratios = " and ".join(f"{s[name] / s['ours']:.1f}" for s in times.values())
            rows.append([said, *(f"{s[name]:.2f}" for s in times.values()), ratios if name != "ours" else "–"])
    return table(rows) + f"\n\n{_differences('Largest difference of ours', found['spleeter_difference'])}"


def _differences(what: str, found: dict[str, float]) -> str:
    said = ", ".join(f"{difference:.0e} ({name})" for name, difference in found.items())
    return f"{what}, of full scale: {said}."


def _excerpts(found: Found) -> str:
    songs = found["excerpts_songs"]
    rows = [[f"{2 * songs} excerpts of 10 s from {songs} songs of 3 min", "packages, s", "StemMOS, s", "times as fast"]]
    for family, s in found["excerpts_s"].items():
        rows.append([family, f"{s['package']:.0f}", f"{s['ours']:.0f}", f"{s['package'] / s['ours']:.1f}"])
    rows.append(["all three", *_totals(found["excerpts_s"]), f"{found['excerpts_speedup']:.2f}"])
    what = "Largest difference from the cut of the packages' whole songs"
    return table(rows) + f"\n\n{_differences(what, found['excerpts_difference'])}"


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
    "gpu": _gpu,
    "job_s": _job,
    "spleeter_s": _spleeter,
    "excerpts_s": _excerpts,
    "exactness": _exactness,
    "peak_mb": _memory,
}
