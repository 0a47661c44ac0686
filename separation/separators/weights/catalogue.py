"""Every published file of the model families: what it is called, where it is, how long it is, what its hash is.

Hashes and sizes: Open-Unmix and Spleeter from their releases (for `umx` and `umxl`, only the first eight digits stand
in the release, inside the names, and the package itself checks no more); demucs from its release, whose file names
hold the first eight digits too, and from the repositories of its safetensors files, at the named revision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from separation.separators.base import SeparatorSpec
from separation.separators.weights.files import (
    DEMO,
    UNPINNED,
    WeightsFile,
    WeightsSet,
    from_manifest,
    published_home,
    unpinned,
)

DEMO_FOLDERS = {"openunmix": "openunmix", "spleeter": "spleeter", "demucs": "htdemucs"}

HOW = "python manage.py weights fetch {key}"


def weights_of(spec: SeparatorSpec) -> WeightsSet:
    """The weights that `spec` runs with. Raises `WeightsMissing` where a demo manifest is gone or unreadable."""
    if spec.is_demo:
        return from_manifest(DEMO / DEMO_FOLDERS[spec.family])
    return published_set(weights_key(spec.base_key))


def weights_key(key: str) -> str:
    """The variant that brings the weights: Spleeter's -16kHz forms use those of the form without it."""
    return key.removesuffix("-16kHz")


def published_set(key: str) -> WeightsSet:
    """The published files of the variant `key` in `published_home()`, their hashes unknown where that is asked for."""
    described = PUBLISHED[key](key, published_home())
    if not unpinned():
        return described
    files = tuple(replace(file, size=None, sha256=None) for file in described.files)
    return WeightsSet(described.folder, files, origin=UNPINNED)


# ── Open-Unmix ───────────────────────────────────────────────────────────────────────────────────────────────────

_RECORDS = {"umxhq": "3370489", "umx": "3370486", "umxl": "5069601"}
_HIDDEN = {"umxhq": 512, "umx": 512, "umxl": 1024}
_STATES: dict[str, dict[str, tuple[int | None, str]]] = {
    "umxhq": {
        "vocals-b62c91ce.pth": (35_637_796, "b62c91cedbc7a066f1778ead5b5cecb377aa3a46a31af1cce7c5c8769339d083"),
        "drums-9619578f.pth": (35_637_796, "9619578f885c54737cb0234f9f9a4a679ee4f31438fd77fd1dbe02bb16c2da0a"),
        "bass-8d85a5bd.pth": (35_637_796, "8d85a5bd3f996a8867fca0e8442e077e5a3f5ec747a6112742452a8f347b39c8"),
        "other-b52fbbf7.pth": (35_637_796, "b52fbbf76479e752bd72e02304c602ac7802aa5bfbfb9cd12054b2695d5093ab"),
    },
    "umx": {
        "vocals-c8df74a5.pth": (None, "c8df74a5"),
        "drums-5a48008b.pth": (None, "5a48008b"),
        "bass-646024d3.pth": (None, "646024d3"),
        "other-f8e132cc.pth": (None, "f8e132cc"),
    },
    "umxl": {
        "vocals-bccbd9aa.pth": (None, "bccbd9aa"),
        "drums-69e0ebd4.pth": (None, "69e0ebd4"),
        "bass-2ca1ce51.pth": (None, "2ca1ce51"),
        "other-c8c5b3e6.pth": (None, "c8c5b3e6"),
    },
}


def _openunmix(key: str, home: Path) -> WeightsSet:
    origin = f"https://zenodo.org/records/{_RECORDS[key]}/files/"
    files = tuple(
        WeightsFile(name, size, sha256, HOW.format(key=key), origin + name, f"openunmix_{_HIDDEN[key]}")
        for name, (size, sha256) in _STATES[key].items()
    )
    return WeightsSet(home / "openunmix" / key, files, origin)


# ── Spleeter ─────────────────────────────────────────────────────────────────────────────────────────────────────

_DATA = {
    "spleeter:2stems": (78_614_080, "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788"),
    "spleeter:4stems": (157_228_152, "3823e0ef50835cca3907c386dc9667a6a9af77b40a20c3ab845a8d6c9592255d"),
    "spleeter:5stems": (196_535_188, "aace47a9eacc62e6fda823cee92ba45375b48e65b7c69713b91a7fa9d87ae920"),
}

_RELEASE = "https://github.com/deezer/spleeter/releases/download/v1.4.0/"
ARCHIVES = {
    f"{_RELEASE}2stems.tar.gz": "f3a90b39dd2874269e8b05a48a86745df897b848c61f3958efc80a39152bd692",
    f"{_RELEASE}4stems.tar.gz": "3adb4a50ad4eb18c7c4d65fcf4cf2367a07d48408a5eb7d03cd20067429dfaa8",
    f"{_RELEASE}5stems.tar.gz": "25a1e87eb5f75cc72a4d2d5467a0a50ac75f05611f877c278793742513cc7218",
}
"""The sha256 of every address that gives an archive and not the file itself."""


def _spleeter(key: str, home: Path) -> WeightsSet:
    """The data file, whose hash is known, and its index: names, shapes and places of the variables, all compared."""
    name = key.removeprefix("spleeter:")
    archive = f"{_RELEASE}{name}.tar.gz"
    size, sha256 = _DATA[key]
    files = (
        WeightsFile("model.data-00000-of-00001", size, sha256, HOW.format(key=key), archive),
        WeightsFile("model.index", None, None, HOW.format(key=key), archive, f"spleeter_{name}"),
    )
    return WeightsSet(home / "spleeter" / name, files, archive)


# ── Demucs: a bag is several models, and each is one file, as safetensors or as the older pickle ──────────────────

BAGS = {
    "htdemucs": ("955717e8",),
    "htdemucs_ft": ("f7e0c4bc", "d12395a8", "92cfc3b6", "04573f0d"),
    "htdemucs_6s": ("5c90dfd2",),
    "hdemucs_mmi": ("75fc33f5",),
    "mdx_extra": ("e51eebcc", "a1d90b5c", "5d2d6c55", "cfa93e08"),
}
BAG_WEIGHTS = {"htdemucs_ft": [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]}
"""What each model of a bag contributes to drums, bass, other, vocals; elsewhere all contribute alike."""
BAG_SEGMENTS = {"hdemucs_mmi": 44.0, "mdx_extra": 44.0}
"""Seconds of a window, in place of the models' own."""
LAYOUTS = {
    "htdemucs": "htdemucs",
    "htdemucs_ft": "htdemucs",
    "htdemucs_6s": "htdemucs_6s",
    "hdemucs_mmi": "hdemucs",
    "mdx_extra": "hdemucs",
}

_PICKLES = {  # folder, name, size, sha256
    "955717e8": ("hybrid_transformer", 84_141_911, "8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4"),
    "f7e0c4bc": ("hybrid_transformer", 84_141_271, "ba3fe64ae8ef66ac9a4857222ce48efbdc5eb3ad375cb79dd13debee5aaa4066"),
    "d12395a8": ("hybrid_transformer", 84_141_271, "e57c48e6b0e38af4f7118d7bd08c49f0a0c0edf7d09143bdd902ea0d237303e6"),
    "92cfc3b6": ("hybrid_transformer", 84_141_271, "ef3bcb9c8b40d14ae5d51b6db2587339cc12c6b77c0be151ce6d69002e087bf2"),
    "04573f0d": ("hybrid_transformer", 84_141_271, "f3cf25b222c4eed7cd49dd8b2c9597d50c18bd154090f7b919cfa5f93cf22c49"),
    "5c90dfd2": ("hybrid_transformer", 54_996_327, "34c22ccb381c6f9fdbf324f04e1e2fe21aaaf293f5ded163a162697ff9a02ddd"),
    "75fc33f5": ("hybrid_transformer", 167_407_275, "1941ce654b11df4132b9f4eae408556b4c83fad6fe26b4bc0dbcb36b975befb3"),
    "e51eebcc": ("mdx_final", 167_399_275, "c1b80bdd6de58274abf359e66822a76f49ce2b9f086fc5dc917ac14598e6bebf"),
    "a1d90b5c": ("mdx_final", 167_391_595, "ae9d245283bf24b552913ee233a1101dcd0aeaed59b1c0a2da0e1f6eda15101b"),
    "5d2d6c55": ("mdx_final", 167_391_595, "db83574e05b2308f76e2764819da673f2d16d437b9e619f5fcb72f275fc0e24f"),
    "cfa93e08": ("mdx_final", 167_399_275, "61801ae1567d606c97a9c3469e943ae306d0a873eeb60d623ae7cfc7042b3f68"),
}

_BASE, _FINE, _SIX = (
    "HTDemucs/resolve/bf35a81b663819a8255c8fefee17f9d812b786b5",
    "HTDemucs-ft/resolve/478be8a68f85418addd6f7baefd4be76522a4034",
    "HTDemucs-6s/resolve/3c5ee475be622df764938de97e4281a7b07ffa58",
)
_SAFETENSORS = {  # repository and revision, size, sha256
    "955717e8": (_BASE, 84_025_440, "d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd"),
    "f7e0c4bc": (_FINE, 84_025_440, "2c85ab3c62dd6edd8e0b965e38b16fd1cdde357cc25de6b6bc9ce7c83f60925f"),
    "d12395a8": (_FINE, 84_025_440, "5b01a97567ae9a3178a6236fb520251045c03eb8834bc8c24a4eec11d6c8fb56"),
    "92cfc3b6": (_FINE, 84_025_440, "a241863551f30d01c42bd7b97da40839922ead3acb0f1fcab25682f55b4eeb59"),
    "04573f0d": (_FINE, 84_025_440, "68854b0d7c2b3274723b5761f6fd9f5aec5f1bcd3f0de7c1669546fdb7871b7c"),
    "5c90dfd2": (_SIX, 54_885_744, "d2a1745f0744721f6b8ca5bf469b67c651ea5ed1b52998cab033b2158609d411"),
}


def _demucs(key: str, home: Path) -> WeightsSet:
    folder = home / "demucs"
    files = tuple(_model_file(signature, key, folder) for signature in BAGS[key])
    return WeightsSet(folder, files, origin=files[0].url.rpartition("/")[0] + "/")


def _model_file(signature: str, key: str, folder: Path) -> WeightsFile:
    """The safetensors file, since reading it runs no code; the pickle where only that is there or was published."""
    safetensors, pickle = model_files(signature, key)
    if safetensors is None or (pickle and (folder / pickle.name).exists() and not (folder / safetensors.name).exists()):
        return pickle
    return safetensors


def model_files(signature: str, key: str) -> tuple[WeightsFile | None, WeightsFile]:
    """Both forms of one model. A safetensors file of no known hash passes only where hashes are not compared."""
    root, size, sha256 = _PICKLES[signature]
    name = f"{signature}-{sha256[:8]}.th"
    url = f"https://dl.fbaipublicfiles.com/demucs/{root}/{name}"
    pickle = WeightsFile(name, size, sha256, HOW.format(key=key), url, LAYOUTS[key])
    if signature not in _SAFETENSORS and not unpinned():
        return None, pickle
    repository, size, sha256 = _SAFETENSORS.get(signature, ("", 0, ""))
    name = f"{signature}.safetensors"
    url = f"https://huggingface.co/adefossez/{repository}/{name}" if repository else ""
    return WeightsFile(name, size or None, sha256 or None, HOW.format(key=key), url, LAYOUTS[key]), pickle


PUBLISHED: dict[str, Callable[[str, Path], WeightsSet]] = {
    **dict.fromkeys(_STATES, _openunmix),
    **dict.fromkeys(_DATA, _spleeter),
    **dict.fromkeys(BAGS, _demucs),
}
"""How the set of each variant that has weights of its own is described, from its key and `published_home()`."""
