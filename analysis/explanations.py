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
            _("The files also hold p adjusted by Benjamini and Hochberg, which bounds the share of false claims."),
        ),
        formula="p′_k = max { min(1, (m − j + 1) · p_j) : j ≤ k }",
        where=_("p_1 ≤ … ≤ p_m: the p values of the m pairs, in order."),
        source="Holm (1979), Scandinavian Journal of Statistics 6(2), 65–70; Benjamini and Hochberg (1995), JRSS B "
        "57(1), 289–300",
    ),
    Explanation(
        key="letters",
        title=_("Groups"),
        text=(
            _(
                "Systems that share a letter are not told apart: their difference, for any song and any listener, is "
                "not significant after Holm’s adjustment. That two are not told apart does not make them equal."
            ),
        ),
        source="Piepho (2004), Journal of Computational and Graphical Statistics 13(2), 456–466",
    ),
    Explanation(
        key="bootstrap",
        title=_("Ranks and probability of being best"),
        text=(
            _(
                "Listeners and songs are drawn anew 10,000 times (2,000 where there are more than 4,000 listeners), "
                "with repetition, by the study’s seed, and the systems ranked by their means each time. In 95 of 100 "
                "draws the rank lies in the interval; the "
                "probability is how often the system came first."
            ),
        ),
        source="Owen (2007), Annals of Applied Statistics 1(2), 386–411",
    ),
    Explanation(
        key="effect",
        title=_("Effect size"),
        text=(
            _(
                "The mean difference in standard deviations of a single difference, of one listener on one clip: how "
                "large it is beside what one person’s rating varies by."
            ),
        ),
        formula="d = mean(x₁ − x₂) / s(x₁ − x₂)",
        source="Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd edition",
    ),
    Explanation(
        key="win_rate",
        title=_("Ahead in"),
        text=(_("In so many of the single comparisons the first system was rated higher; equal ratings count half."),),
    ),
    Explanation(
        key="equivalence",
        title=_("Equivalent"),
        text=(
            _(
                "Whether the systems are no further apart than a margin of 0.25 points, for any song and any "
                "listener: two one-sided tests. “Not shown” says that these ratings cannot rule out more."
            ),
        ),
        formula="p = max { P(t ≤ (d − δ)/se), P(t ≤ −(d + δ)/se) }",
        where=_("d: mean difference; δ: the margin; se: its standard error, of any song and any listener."),
        source="Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6), 657–680",
    ),
    Explanation(
        key="friedman",
        title=_("Friedman’s test"),
        text=(
            _(
                "Each listener’s means are replaced by ranks of the systems. It asks whether any system differs, for "
                "these clips; only listeners who rated every system enter."
            ),
        ),
        source="Friedman (1937), JASA 32(200), 675–701; Conover (1999), Practical Nonparametric Statistics, §5.8",
    ),
    Explanation(
        key="wilcoxon",
        title=_("Wilcoxon’s signed ranks"),
        text=(_("The same differences over listeners, by their ranks, adjusted by Holm over all pairs of the scale."),),
        source="Wilcoxon (1945), Biometrics Bulletin 1(6), 80–83",
    ),
    Explanation(
        key="ordinal",
        title=_("Ordered categories"),
        text=(
            _(
                "The steps from 1 to 5 are taken as ordered only, not as equally wide: a cumulative probit model with "
                "crossed listeners and clips. It is told in how many pairs the conclusion is the same."
            ),
        ),
        formula="P(x ≤ k) = Φ(θ_k − η)",
        where=_("θ_k: the threshold above step k; η: system + listener + clip."),
        source="McCullagh (1980), JRSS B 42(2), 109–142; Breslow and Clayton (1993), JASA 88(421), 9–25",
    ),
    Explanation(
        key="bias",
        title=_("Bias"),
        text=(_("How far a listener’s ratings lie above or below the other listeners’ means of the same clips."),),
        formula="b = mean(x − mean of the others)",
        source="ITU-T P.910 (2023), Annex E",
    ),
    Explanation(
        key="inconsistency",
        title=_("Inconsistency"),
        text=(
            _(
                "The standard deviation of what is left of a listener’s ratings once the others’ means and the own "
                "bias are taken off, drawn toward that of all listeners where there are few ratings."
            ),
        ),
        source="ITU-T P.910 (2023), Annex E",
    ),
    Explanation(
        key="agreement",
        title=_("Agreement with the others"),
        text=(_("Pearson’s correlation, over clips, of a listener’s ratings with the means of the other listeners."),),
        source="ITU-T P.913 (2021), clause 11.4",
    ),
    Explanation(
        key="rule",
        title=_("The rule that flags"),
        text=(
            _(
                "It is the same for every study and stands in the program; a change of it gets a new name. Nobody is "
                "deleted: who reads the results decides, with both numbers beside each other."
            ),
        ),
    ),
    Explanation(
        key="icc",
        title=_("Intraclass correlation (ICC)"),
        text=(
            _(
                "The share of the variance that is between clips: A counts differences between listeners’ levels as "
                "error, C does not; 1 is for one listener, k for the mean of the clip’s listeners. From variance "
                "components, so that gaps do no harm."
            ),
        ),
        formula="ICC(A,k) = v_c / (v_c + (v_l + v_e)/k),   ICC(C,k) = v_c / (v_c + v_e/k)",
        where=_("v_c, v_l, v_e: variance between clips, between listeners, and the rest; k: listeners per clip."),
        source="McGraw and Wong (1996), Psychological Methods 1(1), 30–46",
    ),
    Explanation(
        key="alpha",
        title=_("Krippendorff’s α"),
        text=(
            _(
                "Agreement beyond chance on an ordinal scale: 1 is perfect, 0 is what chance gives. The interval is a "
                "bootstrap over songs."
            ),
        ),
        formula="α = 1 − observed / expected disagreement",
        source="Krippendorff (2011), Computing Krippendorff’s Alpha-Reliability",
    ),
    Explanation(
        key="repeats",
        title=_("Clips heard again"),
        text=(
            _("Some clips come back late in the session. What was said the second time is compared and not counted."),
        ),
        formula="SD = √( Σ d² / 2n )",
        where=_("d: second rating minus first; n: pairs."),
        source="Bland and Altman (1986), The Lancet 327(8476), 307–310",
    ),
    Explanation(
        key="sos",
        title=_("SOS a"),
        text=(
            _(
                "How far listeners’ ratings of one clip spread, beside the most they could at its mean: 0 where all "
                "agree, 1 where only the ends of the scale are used. Studies of one kind have a similar a."
            ),
        ),
        formula="s² = a · (5 − MOS)(MOS − 1)",
        source="Hoßfeld, Schatz and Egger (2011), QoMEX, eq. (2)",
    ),
    Explanation(
        key="shares",
        title=_("Shares of the variance"),
        text=(
            _(
                "Of all that ratings differ by, so much is between listeners and so much between songs. Systems and "
                "sources differ within the rest."
            ),
        ),
        source="Henderson (1953), Biometrics 9(2), 226–252",
    ),
    Explanation(
        key="clip_model",
        title=_("Modelled score"),
        text=(
            _(
                "The clip’s mean once listeners’ biases are taken off and consistent listeners weigh more, as in ITU-T "
                "P.910, Annex E, with every spread drawn toward that of all, so that no listener can take over. The "
                "plain MOS stands beside it."
            ),
        ),
        formula="x = ψ_clip + b_listener + v_listener · noise",
        source="ITU-T P.910 (2023), Annex E; Li and others (2020), A simple model for subject behavior",
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
