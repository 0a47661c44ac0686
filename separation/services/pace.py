"""The progress that a person sees: what was reached, and in between an estimate that never passes what comes next."""

from __future__ import annotations

STEP = 0.08  # of the way to the goal, at each creep
CLOSE = 0.9  # of the expected step: the rest is gone when the work itself says so


class Pace:
    """A share from 0 to 1 which never falls.

    Between two words of the work it creeps towards its goal, ever more slowly: during a phase that says nothing (the
    weights are loaded) towards the end of the phase, else by at most a step as large as the last one.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._said = 0.0
        self._goal = 0.0
        self._phase_end = 1.0

    def phase(self, end: float, expected: float | None = None) -> None:
        """What comes next lasts until `end`; its first word is expected at `expected`, or at its end."""
        self._phase_end = end
        self._goal = end if expected is None else expected

    def reached(self, share: float) -> None:
        share = min(share, 1.0)
        if share > self._said:
            step, self._said = share - self._said, share
            self._goal = min(share + CLOSE * step, self._phase_end)
        self.share = max(self.share, share)

    def creep(self) -> bool:
        """Move a little; False where there is nowhere to go."""
        before = self.share
        self.share = max(before, before + STEP * (self._goal - before))
        return self.share > before
