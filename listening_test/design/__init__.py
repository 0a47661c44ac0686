"""Who hears what in which order. Pure and seeded: no Django, no clock, no global random generator."""

from listening_test.design.order import Candidate, plan_session, quality_first
from listening_test.design.williams import williams_square

__all__ = ["Candidate", "plan_session", "quality_first", "williams_square"]
