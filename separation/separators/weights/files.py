"""Files of weights, and the checks before every load: there, whole, the very bytes, the very names and shapes."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from separation.separators.base import WeightsMismatch, WeightsMissing
from separation.separators.weights import contents

PROJECT = Path(__file__).resolve().parents[3]
DEMO = Path(__file__).resolve().parents[1] / "demo_weights"
MANIFEST = "manifest.json"
DEMO_HOW = "git restore separation/separators/demo_weights"
UNPINNED = "unpinned"
"""The origin of weights whose hashes are not compared (`STEMMOS_WEIGHTS_UNPINNED`)."""


@dataclass(frozen=True)
class WeightsFile:
    """One file of a checkpoint. A size or sha256 of None is not known beforehand; it is then recorded, not checked.

    `sha256` may be the first 8 digits or more, where no more than that was published. `layout` names the listing of
    what must be inside (see `contents`); empty: not checked here.
    """

    name: str  # path inside the folder, with "/"
    size: int | None  # bytes
    sha256: str | None
    how: str  # the command that brings it, with {folder} for the folder
    url: str = ""
    layout: str = ""


@dataclass(frozen=True)
class WeightsSet:
    """The files of one separator's weights, in one folder."""

    folder: Path
    files: tuple[WeightsFile, ...]
    origin: str

    @property
    def is_unpinned(self) -> bool:
        return self.origin == UNPINNED

    def check_present(self) -> None:
        """Raises `WeightsMissing` or `WeightsMismatch` for the first file that is not there or not of its size."""
        for file in self.files:
            path = self.folder / file.name
            if not path.is_file():
                raise self.missing(file)
            size = path.stat().st_size
            if size == 0 or (file.size is not None and size != file.size):
                raise self.mismatch(file, f"it has {size} bytes instead of {file.size or 'some'}")

    def sha256(self) -> dict[str, str]:
        """Of every file by name: the one it must have, where all of that is known, else its own. Raises as above."""
        self.check_present()
        return {
            file.name: file.sha256 if file.sha256 and len(file.sha256) == 64 else sha256_of(self.folder / file.name)
            for file in self.files
        }

    def verify(self) -> dict[str, str]:
        """sha256 of every file by name, once all are what they should be; raises as above.

        Present, of their size and sha256, and holding exactly the names and shapes of their listing. A file is not
        opened before its hash was found right, and the second verification of an unchanged file costs a `stat`.
        """
        self.check_present()
        found = {file.name: sha256_of(self.folder / file.name) for file in self.files}
        for file in self.files:
            if file.sha256 is not None and not found[file.name].startswith(file.sha256):
                raise self.mismatch(file, f"its sha256 is {found[file.name]} instead of {file.sha256}")
        for file in self.files:
            self.check_contents(file)
        return found

    def check_contents(self, file: WeightsFile) -> None:
        """Raises `WeightsMismatch` where the file cannot be read or holds other names and shapes than its listing."""
        if not file.layout:
            return
        if file.name.endswith(".th") and file.sha256 is None and not self.is_unpinned:
            raise self.mismatch(file, "a .th file without a known sha256 is never opened")
        path = self.folder / file.name
        known = (_identity(path), file.layout)
        if known in _contents_checked:
            return
        try:
            contents.check(path, file.layout)
        except Exception as error:  # whatever a damaged or foreign file makes the readers raise
            raise self.mismatch(file, str(error) or type(error).__name__) from error
        _contents_checked.add(known)

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


def published_home() -> Path:
    """The folder of published weights: `STEMMOS_WEIGHTS`, else `weights` in `STEMMOS_HOME`, else in `var`."""
    home = Path(os.environ.get("STEMMOS_HOME") or PROJECT / "var").expanduser()
    return Path(os.environ.get("STEMMOS_WEIGHTS") or home / "weights").expanduser().resolve()


def unpinned() -> bool:
    """Whether `STEMMOS_WEIGHTS_UNPINNED` lets weights of the published layout, but not the published values, run."""
    return os.environ.get("STEMMOS_WEIGHTS_UNPINNED") == "1"


# ── what was read once is not read again while the file stays the same ───────────────────────────────────────────

Identity = tuple[str, int, int, int, int]

_sha256: dict[Identity, str] = {}
_contents_checked: set[tuple[Identity, str]] = set()


def _identity(path: Path) -> Identity:
    at = path.stat()
    return str(path), at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns


def sha256_of(path: Path) -> str:
    identity = _identity(path)
    if identity not in _sha256:
        with path.open("rb") as stream:
            _sha256[identity] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _sha256[identity]


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
