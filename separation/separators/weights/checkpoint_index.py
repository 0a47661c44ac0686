"""The index file of a TensorFlow checkpoint, read without TensorFlow: which variables it holds, of which shapes.

The format: a sorted table of key and value in blocks (that of LevelDB, github.com/google/leveldb/blob/main/doc/
table_format.md), whose values are `BundleEntryProto` messages (tensorflow/core/protobuf/tensor_bundle.proto). Only the
names, types, shapes and places are read; TensorFlow itself compares the checksums of the values when it loads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes at the end of the file: two handles and the magic number
TYPES = {1: "float32", 2: "float64", 3: "int32", 9: "int64", 19: "float16"}  # tensorflow/core/framework/types.proto


def read(path: Path) -> dict[str, tuple[str, list[int]]]:
    """Type and shape of every variable by name, for the checkpoint whose index is at `path`.

    Raises `ValueError` where the file is damaged or is no index, and where the data file beside it (one shard) is
    missing or not exactly as long as the variables.
    """
    table = path.read_bytes()
    try:
        entries = {key.decode(): _entry(value) for key, value in _table(table) if key}
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise ValueError("it is damaged") from error
    data = path.with_name(path.stem + ".data-00000-of-00001")
    length = max((end for _, _, end in entries.values()), default=0)
    if not data.is_file() or data.stat().st_size != length:
        raise ValueError(f"{data.name} does not belong to it: {length} bytes are described")
    return {name: (kind, shape) for name, (kind, shape, _) in entries.items()}


def _table(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-FOOTER:]
    if len(footer) < FOOTER or int.from_bytes(footer[-8:], "little") != MAGIC:
        raise ValueError("it is no TensorFlow index")
    _, place = _handle(footer, 0)  # of the metadata, which is not needed
    (start, size), _ = _handle(footer, place)
    for _, handle in _block(table, start, size):
        (at, length), _ = _handle(handle, 0)
        yield from _block(table, at, length)


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Each key is written as the rest after what it shares with the one before; a list of places ends the block."""
    if table[start + size] != 0:
        raise ValueError("it is compressed, which checkpoints are not")
    block = table[start : start + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    place, key = 0, b""
    while place < end:
        shared, place = _number(block, place)
        fresh, place = _number(block, place)
        length, place = _number(block, place)
        key = key[:shared] + block[place : place + fresh]
        place += fresh
        yield key, block[place : place + length]
        place += length


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    start, place = _number(data, place)
    size, place = _number(data, place)
    return (start, size), place


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A variable-length integer, seven bits in a byte, lowest first, and the place after it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def _entry(message: bytes) -> tuple[str, list[int], int]:
    """Type, shape, and where the values end in the data file."""
    fields = dict(_fields(message))
    shape = [_size(dimension) for number, dimension in _fields(_bytes(fields.get(2, b""))) if number == 2]
    if fields.get(3, 0) != 0:
        raise ValueError("it has more than one data file")
    kind = TYPES.get(_integer(fields.get(1, 0)), "another type")
    return kind, shape, _integer(fields.get(4, 0)) + _integer(fields.get(5, 0))


def _size(dimension: int | bytes) -> int:
    return _integer(dict(_fields(_bytes(dimension))).get(1, 0))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of every field of a protocol buffer message."""
    place = 0
    while place < len(message):
        tag, place = _number(message, place)
        kind = tag & 7
        if kind == 0:
            value, place = _number(message, place)
            yield tag >> 3, value
            continue
        length, place = _number(message, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
        yield tag >> 3, message[place : place + length]
        place += length


def _integer(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("it is damaged")
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("it is damaged")
    return value
