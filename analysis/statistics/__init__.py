"""Statistics of listening tests on plain arrays: no Django, so that a notebook can import it.

Every function takes equally long one-dimensional arrays, one element per rating: `scores` (numbers on the scale) and
codes of what they belong to (`listeners`, `songs`, `groups`…: whole numbers from 0 on, as `arrays.codes` makes them),
and gives frozen dataclasses. What the data cannot answer raises `arrays.NotEnough` with a stable reason.

    from analysis.statistics.whole import Ratings, whole
    report = whole(Ratings.of(table))  # a DataFrame with listener, clip, song, system, source, scale, score

| module | answers |
|---|---|
| `clips`, `clip_model` | a clip's MOS, median, spread, t interval; its score with listeners' bias and inconsistency |
| `published` | P.910, P.913 and BT.500 as published, refused where they break down |
| `mos`, `crossed`, `bootstrap` | means with both intervals; the variance between listeners, songs and the rest |
| `comparison`, `multiplicity` | all pairs of systems; adjusted p, letters of groups |
| `ranks`, `ordinal` | secondary: Friedman and Wilcoxon; ordered categories |
| `screening` | listeners who do not listen, with reasons |
| `reliability`, `design` | agreement with others and with oneself; what a design cannot answer |
| `planning` | how many listeners and songs, before and during a study |
| `correlation` | objective metrics against listeners |
| `effects` | who hears differently; order, fatigue, scale order |
| `whole` | all of it in one call |
"""
