"""Lines for R that analyse `ratings.csv` in its own way: lme4, ordinal, emmeans. They need no number of ours."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.exports.wide import scales_of
from separation.csv_text import cell

HEAD = """\
# Ratings of a listening test, analysed in R. Put this file beside ratings.csv and run: Rscript analysis.R
# Needs: install.packages(c("lme4", "ordinal", "emmeans", "pbkrtest"))

library(lme4)     # linear mixed models, listeners crossed with songs
library(ordinal)  # the same for ordered categories
library(emmeans)  # means of systems and their differences

# One row per rating. The names of columns stay as they are: "repeat" is a word of R, so it is read by [[ ]].
# A name that a spreadsheet would run as a formula has an apostrophe in front.
ratings <- read.csv("ratings.csv", check.names = FALSE, stringsAsFactors = FALSE, encoding = "UTF-8")
yes <- function(column) column %in% c(TRUE, "true", "TRUE")

# What enters the scores: the listener went on from that clip, it is its first presentation, and a person rated.
# Simulated listeners count only where there is no person at all.
counted <- ratings[yes(ratings[["finished"]]) & ratings[["repeat"]] == 0, ]
if (any(!yes(counted[["simulated"]]))) counted <- counted[!yes(counted[["simulated"]]), ]

# Controls (the true stem, the anchors) have means, and are not compared.
controls <- c({controls})
compared <- counted[!counted[["system"]] %in% controls, ]
for (name in c("system", "source", "listener", "song", "clip"))
  compared[[name]] <- factor(compared[[name]])

# The item on which systems are compared: an excerpt of a song, and what the stem holds.
compared[["item"]] <- interaction(
  compared[["song"]], compared[["excerpt_start"]], compared[["source"]], drop = TRUE
)
"""
SCALE = """
# ---- {title} ----
own <- droplevels(compared[compared[["scale"]] == {scale}, ])

# Means of systems with listeners and songs drawn anew; the last two terms let both disagree about systems. A "singular
# fit" says that one of them is 0 here; with one system, or few songs, take terms out.
linear <- lmer(
  score ~ system + (1 | listener) + (1 | song) + (1 | item) + (1 | listener:system) + (1 | song:system),
  data = own
)
print(summary(linear))
print(as.data.frame(VarCorr(linear)))                      # where the variance comes from
print(confint(emmeans(linear, "system")))                  # means of systems, 95 % intervals, Kenward-Roger
# All differences: p by Holm; intervals that hold together (Bonferroni), and so are wider than those of one pair.
print(summary(pairs(emmeans(linear, "system")), adjust = "holm", infer = TRUE))

# The same with the five values as ordered categories and nothing more: does the order of systems stay?
own[["category"]] <- factor(own[["score"]], ordered = TRUE)
ordered_model <- clmm(category ~ system + (1 | listener) + (1 | song), data = own, link = "probit")
print(summary(ordered_model))
print(summary(pairs(emmeans(ordered_model, "system")), adjust = "holm"))
"""
COLUMNS = (
    "finished",
    "repeat",
    "simulated",
    "system",
    "source",
    "listener",
    "song",
    "clip",
    "excerpt_start",
    "scale",
    "score",
)
"""Which of the CSV's columns the lines read."""


def r_script(table: pd.DataFrame, controls: Iterable[str]) -> str:
    scales = scales_of(table)
    head = HEAD.replace("{controls}", ", ".join(r_text(cell(key)) for key in sorted(controls)))
    return head + "".join(
        SCALE.replace("{title}", _comment(scale)).replace("{scale}", r_text(cell(scale))) for scale in scales
    )


def r_text(text: str) -> str:
    """A literal of R, in ASCII: what it holds can neither end it nor run."""
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if " " <= letter <= "~" else f"\\U{{{ord(letter):x}}}"


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
