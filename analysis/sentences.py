"""What the stable codes of the analysis mean, in English sentences. Pure; pages say it in the reader's language."""

from __future__ import annotations

REASONS = {
    # Why a number is not there
    "no_ratings": "Nobody has rated it.",
    "one_rating": "It takes at least two ratings.",
    "one_pair": "It takes at least two differences.",
    "too_few_listeners": "It takes at least two listeners.",
    "fewer_than_3_listeners": "It takes at least three listeners.",
    "fewer_than_5_listeners": "It takes at least five listeners.",
    "too_few_songs": "It takes at least two songs or clips.",
    "fewer_than_5_songs": "It takes at least five songs.",
    "too_few_clips": "It takes more clips.",
    "one_song": "This is one song, and says nothing of others.",
    "no_songs": "The table does not say which song a clip is of.",
    "no_systems": "The table does not say which system a clip is of.",
    "one_system": "There is one system, and nothing to compare it with.",
    "too_few_systems": "It takes at least three systems.",
    "too_few_blocks": "It takes at least two listeners who rated every system.",
    "no_spread": "All values are equal, so there is no spread to compute from.",
    "no_denominator": "The variance that it would be a share of is zero, or estimated to be less.",
    "interval_below_minus_1": "The interval would reach below -1, where no correlation is, and so says nothing.",
    "not_crossed": "Too few listeners rated the same songs to tell listeners from songs.",
    "nothing_in_common": "No listener rated both on the same excerpt.",
    "not_tested_by_both": "No pair could be tested in both ways.",
    "not_every_pair_tested": "Not every pair could be tested, so there are no groups.",
    "not_categories": "The scores are no categories.",
    "no_pairs": "No clip has two ratings, or nobody rated a clip twice.",
    "too_many_ratings": "Of so many ratings the bootstrap was computed for systems only.",
    "no_bootstrap": "The bootstrap was left out (0 replicates).",
    "is_control": "It is a control: it has a mean, and is not ranked.",
    "not_compared": "Too few ratings of clips that somebody else rated, or no spread in them.",
    "not_known": "It is not known.",
    "not_in_procedure": "The procedure has no such number.",
    "nobody_flagged": "Nobody is flagged.",
    "everyone_flagged": "Everybody is flagged.",
    # What has to be said of a pair
    "difference_outside": (
        "Listeners rated very unequal numbers: these_clips counts every listener alike, the difference every pair of "
        "ratings, and the interval does not hold the difference. Nothing is claimed from it."
    ),
    "means_opposed": (
        "Listeners rated unequal numbers: these_clips counts every listener alike, and finds an order that the means "
        "of all ratings do not have. Nothing is claimed from it."
    ),
    # Why a published procedure refuses
    "listener_takes_over": (
        "The procedure breaks down: the variance of one listener, or of several together, went to 0, so that the score "
        "of a clip is their rating."
    ),
    "no_end": "The procedure did not settle in 1,000 rounds.",
    "disconnected": "Parts of the design share no listener, so that biases of different parts cannot be compared.",
    "unanimous_clips": (
        "The procedure breaks down: clips on which all agree count as both too high and too low, which changes who is "
        "rejected."
    ),
    "gaps": "The procedure breaks down: clips that a listener never heard change who is rejected.",
    "unanimous_clips_and_gaps": (
        "The procedure breaks down: clips on which all agree count as both too high and too low, and clips that a "
        "listener never heard count as heard; both change who is rejected."
    ),
    "everyone_rejected": "The procedure rejects every listener.",
    # Why a listener is flagged
    "straight_lining": "Gave about the same rating always.",
    "unlike_others": "Agrees with the others much less than listeners do here.",
    "not_above_chance": "Agrees with the others no more than chance would.",
    "inconsistent": "Varies much more about the others' means than listeners do here.",
    "partly_random": "More than the allowed share of the ratings looks drawn at random.",
    "traps_failed": "Failed attention checks.",
    "repeats_differ": "Rates the same clip very differently the second time.",
    "reference_rated_low": "Rated the true stem low.",
    "anchor_rated_high": "Rated what was made to be worst above the true stem.",
    "too_fast": "Rated faster than one can listen.",
    "equipment_failed": "Failed the check of the equipment.",
}

NOTES = {
    "no_ratings": "There are no ratings yet, so there are no numbers.",
    "no_songs": (
        "The table has no songs, so nothing can be said of other songs; name their column with --song where there is "
        "one."
    ),
    "no_systems": (
        "The table has no systems, so none are compared; name their column with --system where there is one."
    ),
    "pairs_without_songs": (
        "Without songs nobody can tell which clips are of one excerpt: two systems are compared on each listener's two "
        "means, of different clips, so there is no effect size and nothing is won or lost."
    ),
    "parts": (
        "The ratings on {scale} fall into {parts} parts that share no listener: differences between clips of different "
        "parts cannot be told from differences between their listeners."
    ),
    "equal": "All ratings on {scale} are equal: there is a mean, and nothing about its certainty.",
    "one_listener": "One listener rated on {scale}: the numbers are theirs, and speak of nobody else.",
    "simulated": "The ratings are those of simulated listeners.",
}
"""What whoever sees the numbers must know, by code."""

TABLES = {
    "no_file": "There is no file {name}: check the path.",
    "not_readable": "{name} cannot be read ({why}): check that it is a file and that its rights allow it.",
    "empty_file": "{name} is empty: it needs a line of column names and one line for each rating.",
    "not_a_table": (
        "{name} is no table of ratings: it should be a text file with a line of column names and one line for each "
        "rating, separated by commas, semicolons or tabs. {why}"
    ),
    "column_missing": (
        "{name} has no column “{column}”. Its columns are {there}; say which of them it is with --{option} NAME."
    ),
    "column_unknown": "{name} has no column “{column}”, which --{option} names. Its columns are {there}.",
    "column_twice": "{name} has two columns “{column}”: give one of them another name.",
    "label_missing": "{lines} of {name} {verb} no {column}: fill it in, or take the column out of the file.",
    "score_missing": (
        "{lines} of {name} {verb} no score ({example}): give the score, or leave such lines out with --skip-missing."
    ),
    "score_not_a_number": "{lines} of {name} {verb} a score that is no number ({example}): scores are numbers.",
    "score_out_of_range": (
        "{lines} of {name} {verb} a score outside {low} to {high} ({example}): mend it, or say what the scale is with "
        "--scale-range LOW HIGH."
    ),
    "repeat_not_a_number": (
        "{lines} of {name} {verb} a repeat that is no whole number ({example}): the first presentation is 0, the "
        "second 1."
    ),
    "truth_unknown": "{lines} of {name} {verb} neither true nor false as “{column}” ({example}).",
    "number_unknown": "{lines} of {name} {verb} no number as “{column}” ({example}).",
    "duplicates_differ": (
        "In {name} a listener's ratings of one clip on one scale contradict each other (cases: {count}; first: {lines}"
        ", {example}). Where they are repeats, number them in a column and name it with --repeat; else take "
        "--duplicates first or --duplicates mean."
    ),
    "clip_of_two": (
        "In {name} the clip “{clip}” belongs to two of “{column}”: {one} and {two} (see {lines}). A clip is one "
        "excerpt of one song by one system: name the right column with --clip, or have clips made of song, system and "
        'source with --clip "".'
    ),
    "range_not_finite": "The scale from {low} to {high} has no end: give two numbers, such as --scale-range 0 100.",
    "range_unknown": "The scale from {low} to {high} has no width: give the lower end first.",
    "duplicates_unknown": "“{value}” is no way to treat duplicates: it is refuse, mean or first.",
    "package_damaged": "{name} is damaged ({why}): take the package from where it was made again.",
    "package_incomplete": "{name} is no whole results package: it has no {files}.",
    "package_changed": (
        "{name} is not what it was when it was made: {files} has another sha256 than digest.txt says, or is missing. "
        "Take the package again; to analyse changed ratings, unpack ratings.csv and analyse that."
    ),
    # What is no error, but has to be said:
    "same_twice": (
        "What stands in the file more than once with the same score was counted once (ratings: {count}; first: "
        "{lines})."
    ),
    "duplicates_mean": "Contradicting ratings of the same clip were averaged (cases: {count}; first: {lines}).",
    "duplicates_first": "The first of contradicting ratings of one clip was taken (cases: {count}; first: {lines}).",
    "repeats_without_first": (
        "Where a listener has no earlier score of a clip, its rating counts as the first presentation, though its "
        "repeat says a later one (ratings: {count}; first: {lines})."
    ),
    "scores_skipped": "Lines without a score were left out (lines: {count}; first: {lines}).",
}
"""Of a table that cannot be used, or was used in part, by code; parameters fill them in."""
