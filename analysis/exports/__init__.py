"""What can be taken along: files made from a study's ratings and its report.

| module | writes |
|---|---|
| `tidy`, `wide` | CSV: ratings, one row each or one row per listener and clip; MOS and differences |
| `sheets`, `xlsx` | the order of things in files; the tables of `result_tables` and the ratings as a workbook |
| `latex`, `tex`, `methods` | tables and a methods paragraph for a paper, in the reader's language |
| `questions` | CSV: objective metrics against listeners, groups of listeners |
| `sureal`, `r_lines` | the ratings for sureal; lines that analyse them in R |
| `files` | the list of them all: pages and commands go through it |

What a spreadsheet opens holds no formula, and the same data gives the same bytes.
"""

from __future__ import annotations

from analysis.exports.tidy import MOS_COLUMNS, PAIR_COLUMNS, mos_csv, pairs_csv, ratings_csv, ratings_digest
from analysis.exports.wide import matrix_csv, wide_csv
from separation.csv_text import cell

__all__ = [
    "MOS_COLUMNS",
    "PAIR_COLUMNS",
    "cell",
    "matrix_csv",
    "mos_csv",
    "pairs_csv",
    "ratings_csv",
    "ratings_digest",
    "wide_csv",
]
