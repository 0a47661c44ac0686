"""Weights that are already on this machine: found in any folder, recognised by name and hash, and copied in.

It takes a folder of this installation's kind, torch's cache of checkpoints, a folder of Spleeter models, a demucs
repository, a cache of Hugging Face, or single files. Nothing is moved or changed there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from separation.separators.base import SeparatorError
from separation.separators.weights.archives import unpack
from separation.separators.weights.catalogue import ARCHIVES, BAGS, PUBLISHED, model_files, published_set
from separation.separators.weights.fetching import INCOMING, incoming, put_in_place
from separation.separators.weights.files import WeightsFile, WeightsSet, published_home, sha256_of

SUFFIXES = {".pth", ".th", ".safetensors", ".index", ".gz"}
"""What a file of weights may be called; others are only looked at where they have the size of one."""

SPLEETER_DATA, SPLEETER_INDEX = "model.data-00000-of-00001", "model.index"


@dataclass(frozen=True)
class Unit:
    """Files that belong together, and where they go."""

    folder: Path
    files: tuple[WeightsFile, ...]
    origin: str


@dataclass
class Imported:
    """What became of a folder."""

    taken: list[Path] = field(default_factory=list)  # where the new files are now
    here: list[Path] = field(default_factory=list)  # files that were in place already
    refused: list[tuple[Path, str]] = field(default_factory=list)  # with the reason
    unknown: list[Path] = field(default_factory=list)


def import_weights(source: Path) -> Imported:
    """Copy in what is recognised in the file or folder `source`. Raises `OSError` where it cannot be read."""
    done = Imported()
    for path in _files_below(source):
        try:
            _take(path, done)
        except SeparatorError as error:
            done.refused.append((path, str(error)))
    return done


def _files_below(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    if not source.is_dir():
        raise FileNotFoundError(f"{source} is neither a file nor a folder")
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name != INCOMING)
        yield from (Path(folder) / name for name in sorted(names) if (Path(folder) / name).is_file())


def _take(path: Path, done: Imported) -> None:
    """A pair of Spleeter's files is taken when its index is met; its data file is passed over."""
    units = list(_units(path))
    if not units:
        if path.name == SPLEETER_DATA and not path.with_name(SPLEETER_INDEX).is_file():
            done.refused.append((path, f"{SPLEETER_INDEX} is missing beside it"))
        elif path.suffix in SUFFIXES:
            done.unknown.append(path)
        return
    errors = []
    for unit, sources in units:
        try:
            done.taken += _copied(unit, sources, done)
            return
        except SeparatorError as error:
            errors.append(error)
    raise errors[0]


def _units(path: Path) -> Iterator[tuple[Unit, dict[str, Path]]]:
    """What `path` may be, and the files to copy for it by name."""
    if path.name == SPLEETER_INDEX:
        for unit in _pairs(path.with_name(SPLEETER_DATA)):
            yield unit, {file.name: path.with_name(file.name) for file in unit.files}
    elif path.name.endswith(".tar.gz"):
        yield from _archives(path)
    else:
        yield from ((unit, {unit.files[0].name: path}) for unit in _singles() if _may_be(path, unit.files[0]))


def _pairs(data: Path) -> Iterable[Unit]:
    """The Spleeter models whose data file is as long as this one; all where that says nothing."""
    units = [_unit(published_set(key)) for key in PUBLISHED if key.startswith("spleeter:")]
    length = data.stat().st_size if data.is_file() else None
    return [unit for unit in units if unit.files[0].size == length] or units


def _archives(path: Path) -> Iterator[tuple[Unit, dict[str, Path]]]:
    """An archive of a Spleeter model, whatever it is called now, is known by its hash."""
    for key in PUBLISHED:
        unit = _unit(PUBLISHED[key](key, published_home()))
        url = unit.files[0].url
        if url in ARCHIVES and sha256_of(path) == ARCHIVES[url]:
            yield unit, {file.name: path for file in unit.files}


def _singles() -> Iterator[Unit]:
    for key in PUBLISHED:
        wanted = published_set(key)
        files = wanted.files if wanted.folder.parent.name == "openunmix" else ()
        if key in BAGS:
            forms = (file for signature in BAGS[key] for file in model_files(signature, key))
            files = tuple(_as_pinned(file, wanted) for file in forms if file)
        yield from (Unit(wanted.folder, (file,), wanted.origin) for file in files)


def _as_pinned(file: WeightsFile, wanted: WeightsSet) -> WeightsFile:
    if not wanted.is_unpinned:
        return file
    return WeightsFile(file.name, None, None, file.how, file.url, file.layout)


def _may_be(path: Path, file: WeightsFile) -> bool:
    """Of its name; or, whatever its name, of its size and hash (a cache may call files after their hashes)."""
    if path.name == file.name:
        return True
    if file.size is None or file.sha256 is None or len(file.sha256) < 64 or path.stat().st_size != file.size:
        return False
    return sha256_of(path) == file.sha256


def _unit(wanted: WeightsSet) -> Unit:
    return Unit(wanted.folder, wanted.files, wanted.origin)


def _copied(unit: Unit, sources: dict[str, Path], done: Imported) -> list[Path]:
    """The copies, once they are verified and in place. Raises `WeightsMissing` or `WeightsMismatch`."""
    target = WeightsSet(unit.folder, unit.files, unit.origin)
    if _is_here(target, sources):
        done.here += [path for path in target_paths(target) if path not in done.here]
        return []
    archive = next((path for path in sources.values() if path.name.endswith(".tar.gz")), None)
    if archive is None:
        _check_there(unit, sources)
    with incoming(unit.folder.name) as folder:
        if archive is not None:
            unpack(archive, {file.name: file.size for file in unit.files}, folder)
        else:
            for name, source in sources.items():
                shutil.copyfile(source, folder / name)
        return put_in_place(WeightsSet(folder, unit.files, unit.origin), unit.folder)


def _check_there(unit: Unit, sources: dict[str, Path]) -> None:
    """Before anything is copied: are all there, and of their sizes?"""
    for file in unit.files:
        WeightsSet(sources[file.name].parent, (_called(file, sources[file.name]),), unit.origin).check_present()


def _called(file: WeightsFile, path: Path) -> WeightsFile:
    return WeightsFile(path.name, file.size, file.sha256, file.how)


def target_paths(target: WeightsSet) -> list[Path]:
    return [target.folder / file.name for file in target.files]


def _is_here(target: WeightsSet, sources: dict[str, Path]) -> bool:
    """Whether these very files are in place: where hashes are not pinned, several would do, and this is one of them."""
    try:
        found = target.verify()
    except SeparatorError:
        return False
    plain = {name: path for name, path in sources.items() if not path.name.endswith(".tar.gz")}
    return all(path.is_file() and sha256_of(path) == found[name] for name, path in plain.items())
