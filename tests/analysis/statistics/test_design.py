"""What a design cannot answer: parts that share nobody, ceilings, gaps."""

from __future__ import annotations

import numpy as np

from analysis.statistics.arrays import codes
from analysis.statistics.design import design_check, parts

from . import reference


def test_parts_by_hand() -> None:
    """Listeners 0 and 1 share clip 1; listener 3 and clip 4 are alone; listener 2 and clip 3 have no rating."""
    found = parts([0, 0, 1, 1, 3], [0, 1, 1, 2, 4])
    assert found.count == 2
    assert found.of_listener.tolist() == [0, 0, -1, 1]
    assert found.of_clip.tolist() == [0, 0, 0, -1, 1]
    assert found.largest == 0.8


def test_a_design_by_hand() -> None:
    found = design_check([5, 5, 5, 1, 3, 3], [0, 1, 0, 1, 0, 0], [0, 0, 1, 1, 2, 2])
    assert (found.components, found.duplicates) == (1, 1)
    assert (found.fewest_per_clip, found.most_per_clip) == (2, 2)
    assert (found.fewest_per_listener, found.most_per_listener) == (2, 4)
    assert found.filled == 5 / 6
    assert (found.ceiling, found.floor) == (0.5, 1 / 6)
    assert found.unanimous == 2 / 3
    assert found.unused == (2.0, 4.0)


def test_no_ratings() -> None:
    found = design_check([], np.array([], int), np.array([], int))
    assert (found.components, found.ceiling, found.unanimous, found.unused) == (0, 0.0, 0.0, ())


def test_a_slider_has_no_categories() -> None:
    assert design_check([12.5, 80.0], [0, 1], [0, 0], scale=(0.0, 100.0)).unused == ()


@reference.needed
def test_published_ratings_are_connected() -> None:
    for name in ("gensvs_dcr", "nflx_public", "blizzard_crowdmos1_hp"):
        data = reference.ratings(name)
        assert parts(codes(data["rater"])[0], codes(data["clip"])[0]).count >= 1
    gensvs = reference.ratings("gensvs_dcr")
    found = design_check(gensvs["score"], codes(gensvs["rater"])[0], codes(gensvs["clip"])[0])
    assert (found.components, found.filled, found.unanimous) == (1, 0.4, 5 / 250)
