"""Who hears what in which order. Pure and seeded: no Django, no clock, no global random generator."""

from listening_test.design.extras import block_starts
from listening_test.design.factors import Candidate, Design, groups_per_session
from listening_test.design.order import quality_first
from listening_test.design.plan import plan, slot_groups
from listening_test.design.trials import PlannedTrial, same_excerpt_neighbours
from listening_test.design.williams import williams_row, williams_square

__all__ = [
    "Candidate",
    "Design",
    "PlannedTrial",
    "block_starts",
    "groups_per_session",
    "plan",
    "quality_first",
    "same_excerpt_neighbours",
    "slot_groups",
    "williams_row",
    "williams_square",
]
