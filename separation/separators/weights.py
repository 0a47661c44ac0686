"""Where the weights of each separator lie, and the checks that keep wrong ones from running.

Two kinds: `published` weights, which a person brings into one folder (`STEMMOS_WEIGHTS`), and `demo` weights, which
are part of the project. Both are a `WeightsSet`: files with sizes and sha256, so both go through the same checks.
No torch or TensorFlow here: asking whether weights are there costs a few `stat` calls.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from separation.separators.base import SeparatorSpec, WeightsMismatch, WeightsMissing

PROJECT = Path(__file__).resolve().parents[2]
DEMO = Path(__file__).resolve().parent / "demo_weights"
MANIFEST = "manifest.json"
DEMO_HOW = "git restore separation/separators/demo_weights"


@dataclass(frozen=True)
class WeightsFile:
    """One file of a checkpoint. A size or sha256 of None is not known beforehand; it is then recorded, not checked."""

    name: str  # path inside the folder, with "/"
    size: int | None  # bytes
    sha256: str | None
    how: str  # the command that brings it, with {folder} for the folder


@dataclass(frozen=True)
class WeightsSet:
    """The files of one separator's weights, in one folder."""

    folder: Path
    files: tuple[WeightsFile, ...]
    origin: str

    def check_present(self) -> None:
        """Raises `WeightsMissing` or `WeightsMismatch` for the first file that is not there or not of its size."""
        for file in self.files:
            path = self.folder / file.name
            if not path.is_file():
                raise self.missing(file)
            size = path.stat().st_size
            if size == 0 or (file.size is not None and size != file.size):
                raise self.mismatch(file, f"it has {size} bytes instead of {file.size or 'some'}")

    def verify(self) -> dict[str, str]:
        """sha256 of every file by name, once all are present, of their size and of their sha256; raises as above."""
        self.check_present()
        found = {file.name: sha256_of(self.folder / file.name) for file in self.files}
        for file in self.files:
            if file.sha256 is not None and found[file.name] != file.sha256:
                raise self.mismatch(file, f"its sha256 is {found[file.name]} instead of {file.sha256}")
        return found

    def path(self, suffix: str) -> Path:
        """The one file whose name ends so."""
        (name,) = (file.name for file in self.files if file.name.endswith(suffix))
        return self.folder / name

    def missing(self, file: WeightsFile) -> WeightsMissing:
        return WeightsMissing(f"{file.name} is not in {self.folder}; get it with: {self._how(file)}", **self._of(file))

    def mismatch(self, file: WeightsFile, why: str) -> WeightsMismatch:
        sentence = f"{file.name} in {self.folder} is not the file that was named: {why}; get it with: {self._how(file)}"
        return WeightsMismatch(sentence, **self._of(file))

    def unloadable(self, name: str, why: object) -> WeightsMismatch:
        """The error for a file of this set whose content does not fit the model."""
        return self.mismatch(next(file for file in self.files if file.name == name), str(why))

    def _of(self, file: WeightsFile) -> dict[str, str]:
        return {"file": file.name, "folder": str(self.folder), "how": self._how(file)}

    def _how(self, file: WeightsFile) -> str:
        return file.how.format(folder=self.folder)


def weights_of(spec: SeparatorSpec) -> WeightsSet:
    """The weights that `spec` runs with. Raises `WeightsMissing` where a demo manifest is gone or unreadable."""
    if spec.is_demo:
        return from_manifest(DEMO / DEMO_FOLDERS[spec.family])
    return PUBLISHED[spec.key](published_home())


DEMO_FOLDERS = {"openunmix": "openunmix", "spleeter": "spleeter", "demucs": "htdemucs"}


def published_home() -> Path:
    """The folder of published weights: `STEMMOS_WEIGHTS`, else `weights` in `STEMMOS_HOME`, else in `var`."""
    home = Path(os.environ.get("STEMMOS_HOME") or PROJECT / "var").expanduser()
    return Path(os.environ.get("STEMMOS_WEIGHTS") or home / "weights").expanduser().resolve()


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# ── demo weights: their manifest lies beside them ────────────────────────────────────────────────────────────────


def from_manifest(folder: Path) -> WeightsSet:
    """The weights in `folder`, as its manifest describes them."""
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        files = tuple(WeightsFile(name, int(at["size"]), str(at["sha256"]), DEMO_HOW) for name, at in listed.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sentence = f"the manifest {folder / MANIFEST} cannot be read ({error}); get it with: {DEMO_HOW}"
        raise WeightsMissing(sentence, file=MANIFEST, folder=str(folder), how=DEMO_HOW) from error
    origin = folder.relative_to(PROJECT) if folder.is_relative_to(PROJECT) else folder
    return WeightsSet(folder, files, origin=str(origin))


def write_manifest(folder: Path) -> None:
    """Describe every file that is in `folder` now: its size and sha256."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {
        name: {"size": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
        for name in names
        if name != MANIFEST
    }
    (folder / MANIFEST).write_text(json.dumps({"files": files}, indent=1) + "\n", encoding="utf-8")


# ── published weights: what their authors released ───────────────────────────────────────────────────────────────

_FETCH = "curl --fail --location --create-dirs --output '{{folder}}/{name}' {url}"

_UMXHQ = {
    "vocals-b62c91ce.pth": "b62c91cedbc7a066f1778ead5b5cecb377aa3a46a31af1cce7c5c8769339d083",
    "drums-9619578f.pth": "9619578f885c54737cb0234f9f9a4a679ee4f31438fd77fd1dbe02bb16c2da0a",
    "bass-8d85a5bd.pth": "8d85a5bd3f996a8867fca0e8442e077e5a3f5ec747a6112742452a8f347b39c8",
    "other-b52fbbf7.pth": "b52fbbf76479e752bd72e02304c602ac7802aa5bfbfb9cd12054b2695d5093ab",
}
_SPLEETER_4STEMS = "https://github.com/deezer/spleeter/releases/download/v1.4.0/4stems.tar.gz"
_HTDEMUCS = "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer/955717e8-8726e21a.th"


def _umxhq(home: Path) -> WeightsSet:
    url = "https://zenodo.org/records/3370489/files/"
    return WeightsSet(
        home / "openunmix" / "umxhq",
        tuple(
            WeightsFile(name, 35_637_796, sha256, _FETCH.format(name=name, url=url + name))
            for name, sha256 in _UMXHQ.items()
        ),
        origin=url,
    )


def _spleeter_4stems(home: Path) -> WeightsSet:
    how = f"mkdir -p '{{folder}}' && curl --fail --location {_SPLEETER_4STEMS} | tar -xz -C '{{folder}}'"
    data = "3823e0ef50835cca3907c386dc9667a6a9af77b40a20c3ab845a8d6c9592255d"
    files = (
        WeightsFile("model.data-00000-of-00001", 157_228_152, data, how),
        WeightsFile("model.index", None, None, how),  # names, shapes and checksums of the data file's variables
    )
    return WeightsSet(home / "spleeter" / "4stems", files, origin=_SPLEETER_4STEMS)


def _htdemucs(home: Path) -> WeightsSet:
    """The safetensors file where it is there, since reading it runs no code; else the pickle, whose sha256 is known."""
    folder = home / "demucs"
    if (folder / "955717e8.safetensors").is_file():
        file = WeightsFile("955717e8.safetensors", None, None, "")
        return WeightsSet(folder, (file,), origin=str(folder))
    sha256 = "8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4"
    name = "955717e8-8726e21a.th"
    file = WeightsFile(name, 84_141_911, sha256, _FETCH.format(name=name, url=_HTDEMUCS))
    return WeightsSet(folder, (file,), origin=_HTDEMUCS)


PUBLISHED = {"umxhq": _umxhq, "spleeter:4stems": _spleeter_4stems, "htdemucs": _htdemucs}
