"""How each number was computed: what it is, its formula and where that comes from."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Explanation:
    key: str
    title: Text
    text: tuple[Text, ...]
    formula: str = ""
    where: Text = ""  # what the letters of the formula stand for
    source: str = ""


_ALL = (
    Explanation(
        key="mos",
        title=_("Mean opinion score (MOS)"),
        text=(_("The arithmetic mean of all counted ratings of that line, each a whole number from 1 to 5."),),
        formula="MOS = (x₁ + x₂ + … + xₙ) / n",
        where=_("x: the ratings; n: how many there are."),
        source="ITU-T P.800 (1996), Annex B; ITU-T P.800.2 (2016)",
    ),
    Explanation(
        key="sd",
        title=_("Standard deviation (SD)"),
        text=(_("How far single ratings lie from their mean: differences between clips and between listeners alike."),),
        formula="s = √( Σ (xᵢ − MOS)² / (n − 1) )",
        source="ITU-T P.800.2 (2016)",
    ),
    Explanation(
        key="these_clips",
        title=_("Interval “these clips, any listener” (95 %)"),
        text=(
            _(
                "What the mean would lie in if other listeners of the same kind rated the same clips. Ratings of one "
                "person resemble each other, so each listener counts once, with their own mean."
            ),
            _(
                "It says nothing about other songs. Where listeners rated different numbers of clips, its centre (the "
                "mean of the listeners’ means) is not exactly the MOS. Near an end of the scale, or with very few "
                "listeners, it can reach beyond the scale."
            ),
        ),
        formula="m ± t(0.975; L − 1) · s / √L",
        where=_("m, s: mean and standard deviation of the listeners’ means; L: listeners; t: Student’s quantile."),
        source="Student (1908), The probable error of a mean, Biometrika 6(1), 1–25",
    ),
    Explanation(
        key="any_song",
        title=_("Interval “any song, any listener” (95 %)"),
        text=(
            _(
                "Where the mean would lie if other songs of the same kind were rated by other listeners. It is what a "
                "claim like “this system is better” needs, and it is wider: the differences between songs count too."
            ),
            _(
                "The spread of the ratings is divided into a part of the listeners (A), a part of the songs (B) and "
                "the rest (E). It takes at least five listeners and five songs."
            ),
        ),
        formula="MOS ± t(0.975; df) · √(A + B − E)",
        where=_(
            "A = (v_l·k₁ + v_e)/N, B = (v_s·k₂ + v_e)/N, E = v_e/N; v: variance components of listeners, songs and "
            "rest; k₁, k₂: sums of squared numbers of ratings per listener and per song, over N; df: Satterthwaite’s."
        ),
        source="Henderson (1953), Biometrics 9(2), 226–252; Satterthwaite (1946), Biometrics Bulletin 2(6), 110–114",
    ),
    Explanation(
        key="difference",
        title=_("Difference between two systems"),
        text=(
            _(
                "Only what the same listener rated in both systems, for the same excerpt and source, is compared. Each "
                "listener’s mean difference is one value; the interval and p come from Student’s t over listeners. "
                "For any song, the same differences are treated like ratings in the interval “any song, any listener”."
            ),
            _("Ratings without a partner do not enter, so a difference need not equal that of two MOS in the table."),
        ),
        formula="d ± t(0.975; L − 1) · s_d / √L,   t = d / (s_d / √L)",
        where=_("d, s_d: mean and standard deviation of the listeners’ mean differences; L: listeners."),
        source="Student (1908), Biometrika 6(1), 1–25",
    ),
    Explanation(
        key="holm",
        title=_("Adjusted p (Holm)"),
        text=(
            _(
                "With many pairs, some would differ by chance. Holm’s adjustment keeps the probability of even one "
                "such claim among all pairs of a scale below 5 %. A lead is claimed where the adjusted p is below "
                "0.05 and at least five listeners were compared."
            ),
        ),
        formula="p′_k = max { min(1, (m − j + 1) · p_j) : j ≤ k }",
        where=_("p_1 ≤ … ≤ p_m: the p values of the m pairs, in order."),
        source="Holm (1979), Scandinavian Journal of Statistics 6(2), 65–70",
    ),
    Explanation(
        key="counted",
        title=_("Which ratings count"),
        text=(
            _(
                "Ratings are final once the listener has gone on to the next clip. Counted are final ratings of a "
                "clip’s first presentation, of unfinished sessions too. Simulated listeners are never mixed with "
                "persons: where one person has rated, they are left out. The CSV of ratings holds all that was stored."
            ),
        ),
    ),
    Explanation(
        key="digest",
        title=_("Digest"),
        text=(
            _(
                "The sha256 of the CSV of ratings. Who has that file can check with sha256sum that these results "
                "were made from it."
            ),
        ),
        source="FIPS 180-4",
    ),
)
EXPLANATIONS = {one.key: one for one in _ALL}
