"""Any long CSV becomes a tidy table; what cannot be used gets one sentence that says where it is and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.exports import ratings_csv
from analysis.sentences import TABLES
from analysis.table_reading import Read, TableError, read_table
from analysis.tidy import COLUMNS, LeftOut, counted, entering

from .tables import crossed, row, tidy

HEADER = "listener,clip,score\n"


def read(text: str | bytes, **options: Any) -> Read:
    return read_table(text if isinstance(text, bytes) else text.encode(), name="file.csv", **options)


def refused(text: str | bytes, **options: Any) -> TableError:
    with pytest.raises(TableError) as refusal:
        read(text, **options)
    sentence = str(refusal.value)
    assert sentence.endswith(".") and "\n" not in sentence and "{" not in sentence
    return refusal.value


def rows(found: Read) -> list[tuple[Any, ...]]:
    return list(found.table[["listener", "clip", "score"]].itertuples(index=False, name=None))


# ── Forms of a table ────────────────────────────────────────────────────────────────────────────────────────────────

TWO = [("añil", "x", 3.5), ("b", "y, z", 4.0)]


@pytest.mark.parametrize(
    "content",
    [
        'listener,clip,score\nañil,x,3.5\nb,"y, z",4\n'.encode(),
        '\ufefflistener,clip,score\nañil,x,3.5\nb,"y, z",4\n'.encode(),
        'listener,clip,score\nañil,x,3.5\nb,"y, z",4\n'.encode("latin-1"),
        'listener,clip,score\nañil,x,3.5\nb,"y, z",4\n'.encode("utf-16"),
        "listener;clip;score\nañil;x;3,5\nb;y, z;4\n".encode(),
        "listener\tclip\tscore\nañil\tx\t3,5\nb\ty, z\t4,0\n".encode(),
        'listener,clip,score\nañil,x,"3,5"\nb,"y, z","4"\n'.encode(),
        '"listener","clip","score"\r\n"añil","x","3.5"\r\n"b","y, z","4"\r\n'.encode(),
        '\n\nlistener,clip,score\n\nañil,x,3.5\n   \nb,"y, z",4\n,,\n,,\n'.encode(),
        ' listener , clip , score \n añil , x , 3.5 \nb,"y, z", 4\n'.encode(),
        'score,comment,clip,listener\n3.5,"a\nb",x,añil\n4,,"y, z",b\n'.encode(),
        "sep=;\r\nlistener;clip;score\r\nañil;x;3,5\r\nb;y, z;4\r\n".encode(),
        '\ufeff"sep=|"\nlistener|clip|score\nañil|x|3,5\nb|y, z|4\n'.encode(),
        "sep=\t\nlistener\tclip\tscore\nañil\tx\t3,5\nb\ty, z\t4\n".encode("utf-16"),
    ],
    ids=[
        "plain",
        "bom",
        "latin1",
        "utf16",
        "semicolons",
        "tabs",
        "quoted_comma",
        "all_quoted",
        "blank_lines",
        "spaces",
        "other_columns",
        "excel_sep",
        "excel_sep_bom",
        "excel_sep_utf16",
    ],
)
def test_one_table_in_many_forms(content: bytes) -> None:
    assert rows(read(content)) == TWO


def test_labels_stay_text_as_written() -> None:
    assert rows(read(HEADER + "01,1.0,3\n1,1,3\n")) == [("01", "1.0", 3.0), ("1", "1", 3.0)]


def test_columns_by_other_names() -> None:
    text = "rater,file,content,model,dim,rep,vote\na,x,song,A,quality,1,3\na,x,song,A,quality,2,4\n"
    names = {
        "listener": "rater",
        "clip": "file",
        "song": "content",
        "system": "model",
        "scale": "dim",
        "repeat": "rep",
        "score": "vote",
    }
    table = read(text, names=names).table
    assert table.iloc[1].to_dict() == {
        "listener": "a",
        "clip": "x",
        "song": "song",
        "system": "A",
        "scale": "quality",
        "repeat": 1,  # a file that counts from 1 begins with its 1
        "score": 4.0,
    }


def test_older_files_call_the_score_value() -> None:
    assert rows(read("listener,clip,value\na,x,2\n")) == [("a", "x", 2.0)]


def test_song_source_and_system_make_the_clip() -> None:
    table = read("listener,song,source,system,score\na,One,drums,A,3\na,One,vocals,A,4\nb,One,drums,A,5\n").table
    assert table["clip"].tolist() == ["One / drums / A", "One / vocals / A", "One / drums / A"]


def test_an_empty_column_is_none_at_all() -> None:
    assert "source" not in read("listener,clip,source,score\na,x,,3\n").table


def test_a_header_alone_is_an_empty_table() -> None:
    found = read(HEADER)
    assert len(found.table) == 0
    assert found.counts == LeftOut(0, 0, 0, 0, 0)


# ── What is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "options", "code", "says"),
    [
        ("", {}, "empty_file", "is empty"),
        ("\ufeff\n\n", {}, "empty_file", "is empty"),
        ("hello\nworld\n", {}, "not_a_table", "“hello”"),
        (b"\x89PNG\r\n\0\0,a,b\n", {}, "not_a_table", "no text"),
        (b"PK\x03\x04 and so on", {}, "not_a_table", "save it as CSV"),
        (HEADER + "a,x,3,5\n", {}, "not_a_table", "Line 2 has 4 cells and the header 3"),
        (HEADER + 'a,"x,3\nb,y,4\n', {}, "not_a_table", "never closed"),
        (
            "rater,clip,score\na,x,3\n",
            {},
            "column_missing",
            "“rater”, “clip”, “score”; say which of them it is with --listener NAME",
        ),
        ("listener,song,score\na,x,3\n", {}, "column_missing", "--clip NAME"),
        ("listener,clip,stars\na,x,3\n", {}, "column_missing", "--score NAME"),
        (HEADER + "a,x,3\n", {"names": {"clip": "file"}}, "column_unknown", "“file”, which --clip names"),
        ("listener,clip,score,score\na,x,3,4\n", {}, "column_twice", "two columns “score”"),
        (HEADER + "a,x,3\n,x,3\n", {}, "label_missing", "Line 3 of file.csv has no listener"),
        (HEADER + "a,x,3\nb,x,NaN\nc,x,\n", {}, "score_missing", "Lines 3 and 4"),
        (HEADER + "a,x\n", {}, "score_missing", "Line 2"),
        (HEADER + "a,x,good\n", {}, "score_not_a_number", "“good”"),
        (HEADER + "a,x,inf\n", {}, "score_not_a_number", "“inf”"),
        (HEADER + "a,x,1.000,5\n".replace("1.000,5", '"1.000,5"'), {}, "score_not_a_number", "Line 2"),
        (HEADER + "a,x,3\n\nb,x,7\nc,x,0\n", {}, "score_out_of_range", "Lines 4 and 5"),
        (HEADER + "a,x,3\n", {"scale_range": (0.0, 2.0)}, "score_out_of_range", "outside 0 to 2"),
        (HEADER + "a,x,3\n", {"scale_range": (5.0, 1.0)}, "range_unknown", "no width"),
        (HEADER + "a,x,3\nb,x,4\na,x,4\n", {}, "duplicates_differ", "lines 2 and 4, 3 and 4"),
        ("listener,clip,score,repeat\na,x,3,first\n", {}, "repeat_not_a_number", "“first”"),
        ("listener,clip,song,score\na,x,One,3\nb,x,Two,4\n", {}, "clip_of_two", "“One” and “Two” (see lines 2 and 3)"),
        ("listener,clip,system,score\na,x,A,3\nb,x,B,4\n", {}, "clip_of_two", "“system”"),
    ],
)
def test_one_sentence_says_what_to_do(text: str | bytes, options: dict[str, Any], code: str, says: str) -> None:
    error = refused(text, **options)
    assert error.code == code
    assert says in str(error)


def test_many_lines_are_counted(tmp_path: Path) -> None:
    error = refused(HEADER + "".join(f"l{who},x,9\n" for who in range(40)))
    assert str(error).startswith("Lines 2, 3, 4, 5, 6 and 35 more of file.csv have a score outside 1 to 5 (“9”)")


def test_lines_are_those_of_the_file_where_cells_hold_lines() -> None:
    assert "Line 5 of" in str(refused('listener,clip,note,score\na,x,"one\ntwo\n",3\nb,x,,9\n'))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.csv", "no_file"), (tmp_path, "not_readable")):
        with pytest.raises(TableError) as refusal:
            read_table(path)
        assert refusal.value.code == code
        assert str(path) in str(refusal.value)


def test_every_sentence_can_be_filled_in() -> None:
    class Anything(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return "something"

    for text in TABLES.values():
        assert text.format_map(Anything()).endswith((".", "something"))


# ── What is used in part, and said ──────────────────────────────────────────────────────────────────────────────────


def test_lines_without_a_score_are_left_out_where_that_is_asked_for() -> None:
    found = read(HEADER + "a,x,3\nb,x,NA\n", skip_missing=True)
    assert rows(found) == [("a", "x", 3.0)]
    assert [(note.code, "line 3" in note.sentence) for note in found.notes] == [("scores_skipped", True)]


def test_the_same_rating_twice_counts_once() -> None:
    found = read(HEADER + "a,x,3\nb,x,4\na,x,3\n")
    assert rows(found) == [("a", "x", 3.0), ("b", "x", 4.0)]
    assert [(note.code, "line 4" in note.sentence) for note in found.notes] == [("same_twice", True)]


@pytest.mark.parametrize(("duplicates", "score"), [("first", 3.0), ("mean", 4.0)])
def test_contradicting_ratings_as_asked_for(duplicates: str, score: float) -> None:
    found = read(HEADER + "a,x,3\nb,x,4\na,x,5\n", duplicates=duplicates)
    assert rows(found) == [("a", "x", score), ("b", "x", 4.0)]
    assert [note.code for note in found.notes] == [f"duplicates_{duplicates}"]


def test_two_scales_and_repeats_are_no_duplicates() -> None:
    text = "listener,clip,scale,repeat,score\na,x,q,0,3\na,x,c,0,4\na,x,q,1,5\n"
    assert len(read(text).table) == 3


def test_lines_are_counted_from_excels_first_one() -> None:
    assert "line 4 " in str(refused("sep=;\nlistener;clip;score\na;x;3\nb;x;9\n")).casefold()


@pytest.mark.parametrize("column", ["repeat", "scale", "song"])
def test_a_column_that_is_empty_from_top_to_bottom_is_none(column: str) -> None:
    found = read(f"listener,clip,score,{column}\na,x,3,\nb,x,4, \n")
    assert rows(found) == [("a", "x", 3.0), ("b", "x", 4.0)]
    assert set(found.table["repeat"]) == {0}


def test_whoever_has_no_first_presentation_has_the_next_one() -> None:
    """b has x the second time only, c the third time and the fourth: their earliest ones count, and that is said."""
    text = "listener,clip,repeat,score\na,x,0,3\na,x,1,4\nb,x,1,5\nc,x,2,1\nc,x,3,2\n"
    found = read(text)
    assert found.table[["listener", "repeat", "score"]].to_numpy().tolist() == [
        ["a", 0, 3.0],
        ["a", 1, 4.0],
        ["b", 0, 5.0],
        ["c", 0, 1.0],
        ["c", 1, 2.0],
    ]
    assert (found.counts.counted, found.counts.repeats) == (3, 2)
    [note] = found.notes
    assert note.code == "repeats_without_first"
    assert "ratings: 2" in note.sentence and "lines 4 and 5" in note.sentence


def test_a_file_that_counts_from_1_is_understood_without_a_word() -> None:
    found = read("listener,clip,repeat,score\na,x,1,3\na,x,2,4\nb,x,1,5\n")
    assert found.table["repeat"].tolist() == [0, 1, 0]
    assert found.notes == ()


@pytest.mark.parametrize("clips", [["same", "same", "same"], ["", "", ""]])
def test_clips_can_be_made_of_song_system_and_source(clips: list[str]) -> None:
    lines = zip(clips, ["A,s,vocals", "B,s,vocals", "A,s,drums"], strict=True)
    text = "listener,clip,system,song,source,score\n" + "".join(f"l,{clip},{rest},3\n" for clip, rest in lines)
    found = read(text, names={"clip": ""})
    assert found.table["clip"].tolist() == ["s / vocals / A", "s / vocals / B", "s / drums / A"]
    if clips[0]:
        assert '--clip ""' in str(refused(text))
    else:
        assert read(text).table.equals(found.table)


def test_a_clip_that_cannot_be_made_is_asked_for() -> None:
    assert refused("listener,clip,score\na,x,3\n", names={"clip": ""}).code == "column_missing"
    assert refused("listener,clip,score\na,,3\n").code == "column_missing"


@pytest.mark.parametrize("ends", [(0.0, float("inf")), (float("-inf"), 5.0), (float("nan"), 5.0)])
def test_a_scale_has_two_ends(ends: tuple[float, float]) -> None:
    assert refused(HEADER + "a,x,3\n", scale_range=ends).code == "range_not_finite"


# ── Our own ratings.csv ─────────────────────────────────────────────────────────────────────────────────────────────


def csv_of(table: pd.DataFrame) -> bytes:
    return b"".join(ratings_csv(table))


def mixed() -> pd.DataFrame:
    """Final and open trials, repeats, a simulated listener."""
    table = crossed(listeners=4, songs=3)
    table["repeat"] = table["repeat"].where(table.index % 7 != 3, 1)
    table["finished"] = table.index % 5 != 2
    table["simulated"] = table["listener"] == "listener-03"
    return table


def test_of_our_own_file_enters_what_enters_a_report() -> None:
    table = mixed()
    found = read(csv_of(table))
    assert found.is_own
    wanted = entering(table).reset_index(drop=True)
    kept = list(found.table.columns)
    pd.testing.assert_frame_equal(found.table, wanted[kept], check_dtype=False)
    firsts = found.table[found.table["repeat"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(firsts, counted(table)[kept].reset_index(drop=True), check_dtype=False)
    assert found.counts.counted == len(counted(table))
    assert found.counts.stored == len(table) == sum((*vars(found.counts).values(),)) - found.counts.stored


def test_simulated_listeners_enter_where_there_is_nobody_else() -> None:
    found = read(csv_of(crossed(listeners=3, simulated=True)))
    assert len(found.table) == found.counts.stored
    assert [note.code for note in found.notes] == ["simulated"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "'=", "''-", "'", "plain"])
def test_what_was_made_harmless_comes_back(start: str) -> None:
    title = f"{start}1+1"
    table = tidy([row(listener=who, song=title, clip="x", score=score) for who, score in (("a", 1), ("b", 5))])
    content = csv_of(table)
    assert read(content).table["song"].tolist() == [title] * 2
    if start in "=+-@":
        assert f"'{title}".encode() in content


def test_ratings_of_before_the_score_was_called_score() -> None:
    table = mixed()
    content = csv_of(table).replace(b",score,", b",value,", 1)
    assert read(content).is_own
    np.testing.assert_array_equal(read(content).table["score"], entering(table)["score"])


def test_what_a_spreadsheet_has_made_of_truth_is_refused() -> None:
    content = csv_of(tidy([row()])).replace(b"true", b"VERDADERO")
    assert refused(content).code == "truth_unknown"


def test_our_columns_are_a_format() -> None:
    assert len(set(COLUMNS)) == 25 and {"listener", "clip", "score", "finished", "simulated"} <= set(COLUMNS)
