"""A methods paragraph for a paper, in the reader's language: what ITU-T P.800.2 asks to be told with a MOS.

Every statement is made from what is stored. What the service cannot know stands as `[fill in: …]`, and is never made
up. Simulated listeners and demo material are named first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import words
from analysis.analysed import Analysed
from analysis.exports.sheets import ordered_scales
from analysis.report import StudyReport
from analysis.statistics.screening import RULE_NAME
from analysis.statistics.whole import flagged
from analysis.study_facts import AGES, EQUIPMENT, EXPERIENCE, StudyFacts
from listening_test.models import EquipmentCheck, Study
from listening_test.question import Question
from listening_test.question_pieces import PIECES
from listening_test.scales import Scale
from listening_test.systems import system_name
from separation.models import Source

MOST_TITLES = 12


def fill_in(what: str) -> str:
    return _("[fill in: %(what)s]") % {"what": what}


def methods_text(report: StudyReport, facts: StudyFacts, languages: list[str]) -> str:
    """The paragraphs in each of the languages, one after the other."""
    parts = []
    for language in languages:
        with translation.override(language):
            name = str(translation.get_language_info(language)["name_local"]).capitalize()
            parts.append("\n\n".join([name, *paragraphs(report, facts)]))
    return "\n\n\n".join(parts) + "\n"


def paragraphs(report: StudyReport, facts: StudyFacts) -> list[str]:
    makers = (_notes, _method, _material, _design, _listeners, _conditions, _analysis, _software)
    made = [" ".join(sentence for sentence in make(report, facts) if sentence) for make in makers]
    return [paragraph for paragraph in made if paragraph]


def _notes(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    if report.counts.simulated:
        yield _(
            "The listeners of this study were simulated: what follows describes a demonstration, and no experiment."
        )
    if report.is_demo or report.counts.demo:
        yield _("Songs or weights of the separators were made for demonstration.")


# ── Method and material ─────────────────────────────────────────────────────────────────────────────────────────────


def _method(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    if facts.seed is None:
        yield fill_in(_("the test method and its instruction, such as absolute category rating, ITU-T P.800"))
        yield from map(_unknown_scale, _scales(report))
        return
    yield _(
        "Listening quality was judged in a listening-only test by absolute category rating (ACR, ITU-T P.800): each "
        "clip "
        "was heard alone, and given a whole number from 1 to 5 on each scale."
    )
    yield from (_scale(report.scales[key]) for key in _scales(report) if key in report.scales)
    if facts.apart is not None:
        yield (
            _(
                "Listeners rated all clips on one scale, and then all clips on the other one; half of them began with "
                "each."
            )
            if facts.apart
            else _("Both scales were rated for each clip; half of the listeners saw each of them first.")
        )
    if facts.whole_clip:
        yield _("A clip could be rated once it had been heard to its end, and could be heard again.")
    elif facts.minimum_seconds is not None:
        yield _("A clip could be rated after %(seconds)s s of it had been heard, and could be heard again.") % {
            "seconds": words.number(facts.minimum_seconds, 1)
        }
    if facts.show_mixture is not None:
        yield (
            _("The mixture before separation could be heard on request.")
            if facts.show_mixture
            else _("There was no open reference: the mixture before separation was not offered.")
        )
    yield _(
        "The scores are mean opinion scores of listening quality given by people (of the kind that ITU-T P.800.1 calls "
        "MOS-LQS), obtained with separated music: they are comparable within this test, and not with scores of others."
    )


def _scales(report: StudyReport) -> list[str]:
    return [report.label("scale", scale.scale) for scale in ordered_scales(report)]


def _unknown_scale(key: str) -> str:
    return _("Scale: %(name)s %(gap)s.") % {"name": key, "gap": fill_in(_("its question and the words of its values"))}


def _scale(scale: Scale) -> str:
    values = ", ".join(f"{value} {_quoted(word)}" for value, word in scale.values)
    return _("%(name)s: “%(question)s” (%(values)s).") % {
        "name": scale.name,
        "question": scale.question,
        "values": values,
    }


def _material(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    sources = dict(Source.choices)
    yield ngettext(
        "The material came from %(count)s song: %(titles)s %(gap)s.",
        "The material came from %(count)s songs: %(titles)s %(gap)s.",
        len(report.songs),
    ) % {
        "count": len(report.songs),
        "titles": _titles(report),
        "gap": fill_in(_("style, origin and licence of the songs")),
    }
    yield _excerpts(facts)
    yield _("Rated sources: %(sources)s.") % {
        "sources": _listed(str(sources.get(key, key)).lower() for key in report.sources)
    }
    tested = [key for key in report.systems if key not in _controls(report)]
    yield _("Systems under test: %(systems)s.") % {"systems": _listed(map(system_name, tested))}
    controls = [key for key in report.systems if key in _controls(report)]
    if controls:
        yield _("Controls, unknown to the listeners: %(controls)s.") % {"controls": _listed(map(system_name, controls))}
    yield _loudness(facts)


def _quoted(text: object) -> str:
    return _("“%(text)s”") % {"text": text}


def _titles(report: StudyReport) -> str:
    named = [_quoted(title) for title in report.songs[:MOST_TITLES]]
    more = len(report.songs) - len(named)
    if more > 0:
        named.append(ngettext("%(count)s more", "%(count)s more", more) % {"count": more})
    return _listed(named)


def _excerpts(facts: StudyFacts) -> str:
    if not facts.excerpt_seconds:
        return fill_in(_("number and length of the excerpts, and how they were chosen"))
    shortest, longest = min(facts.excerpt_seconds), max(facts.excerpt_seconds)
    length = words.number(shortest, 1)
    if round(longest, 1) != round(shortest, 1):
        length = _("%(low)s to %(high)s") % {"low": length, "high": words.number(longest, 1)}
    return ngettext(
        "%(count)s excerpt of %(length)s s %(gap)s gave %(clips)s clips, which were faded at both ends and sent "
        "without "
        "loss (FLAC, 44.1 kHz, 16 bit).",
        "%(count)s excerpts of %(length)s s %(gap)s gave %(clips)s clips, which were faded at both ends and sent "
        "without "
        "loss (FLAC, 44.1 kHz, 16 bit).",
        len(facts.excerpt_seconds),
    ) % {
        "count": len(facts.excerpt_seconds),
        "length": length,
        "clips": facts.clips,
        "gap": fill_in(_("how they were chosen")),
    }


def _loudness(facts: StudyFacts) -> str:
    rules = {
        Study.LoudnessRule.CLIP: _("Every clip was brought to −23 LUFS (ITU-R BS.1770)."),
        Study.LoudnessRule.MIXTURE: _(
            "All clips of an excerpt had one gain, which brings its mixture to −23 LUFS (ITU-R BS.1770): they were as "
            "loud as in the song."
        ),
        Study.LoudnessRule.NONE: _("Clips were as loud as the systems gave them; only clipping was guarded against."),
    }
    known = {str(key): sentence for key, sentence in rules.items()}
    return known.get(facts.loudness_rule) or fill_in(_("how loud the clips were, and by which rule"))


def _controls(report: StudyReport) -> frozenset[str]:
    return report.analysed.options.controls if report.analysed else frozenset()


# ── Design ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _design(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    if facts.seed is None:
        yield fill_in(_("how many clips each listener rated, in which order, with which practice"))
        return
    each, clips = facts.clips_per_listener, facts.clips
    if each and clips and each < clips:
        yield _(
            "Each listener was to rate %(each)s of the %(clips)s clips, given out by a seeded incomplete block design "
            "in "
            "which every clip is rated about equally often and a listener hears all systems of an excerpt."
        ) % {"each": each, "clips": clips}
    else:
        yield _("Each listener was to rate all clips.")
    yield _(
        "Orders were individual and seeded: systems balanced over places by Williams squares, clips of one excerpt "
        "apart "
        "where possible (seed %(seed)s%(digest)s)."
    ) % {"seed": facts.seed, "digest": _digest(facts.design_digest)}
    yield _("Examples of both scales were played first.")
    if facts.practice:
        yield _("Practice clips with feedback followed.")
    if facts.repeats:
        yield ngettext(
            "%(count)s clip came back late in the session; such second ratings measure steadiness and do not enter the "
            "scores.",
            "%(count)s clips came back late in the session; such second ratings measure steadiness and do not enter "
            "the "
            "scores.",
            facts.repeats,
        ) % {"count": facts.repeats}
    if facts.traps:
        yield ngettext(
            "%(count)s attention check was spread over the session.",
            "%(count)s attention checks were spread over the session.",
            facts.traps,
        ) % {"count": facts.traps}
    if facts.block_trials:
        yield _("A pause was offered after every %(count)s clips.") % {"count": facts.block_trials}


def _digest(design: str) -> str:
    return _(", design %(digest)s") % {"digest": design[:16]} if design else ""


# ── Listeners ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _listeners(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    counts = report.counts
    if report.sessions.started:
        yield _("%(started)s sessions were begun and %(completed)s completed%(days)s.") % {
            "started": report.sessions.started,
            "completed": report.sessions.completed,
            "days": _days(facts),
        }
    yield _(
        "%(counted)s ratings of %(listeners)s listeners enter the scores: %(each)s for each clip on each scale."
    ) % {
        "counted": words.whole(counts.counted),
        "listeners": counts.listeners,
        "each": _extent([counts.fewest_per_clip, counts.most_per_clip]),
    }
    yield _per_system(report)
    yield fill_in(_("how listeners were recruited, informed and paid; approval of an ethics committee"))
    yield _answered(facts, EXPERIENCE, _("Asked about their experience in judging sound, listeners said: %(answers)s."))
    if EXPERIENCE not in facts.answers:
        yield fill_in(_("experience of the listeners: naive, experienced or trained"))
    yield _answered(facts, AGES, _("Age: %(answers)s."))
    if AGES not in facts.answers:
        yield fill_in(_("age of the listeners, and their hearing"))
    if facts.languages:
        yield _("Language of the pages: %(languages)s.") % {
            "languages": _listed(f"{_language(code)} ({count})" for code, count in facts.languages.items())
        }
    else:
        yield fill_in(_("language of the instructions and of the scales"))


def _language(code: str) -> str:
    """English writes names of languages with a capital letter, inside a sentence too."""
    name = str(translation.get_language_info(code)["name_translated"])
    return name if (translation.get_language() or "").startswith("en") else name.lower()


def _days(facts: StudyFacts) -> str:
    if facts.first_day is None or facts.last_day is None:
        return ""
    if facts.first_day == facts.last_day:
        return _(" on %(day)s") % {"day": date_format(facts.first_day, "DATE_FORMAT")}
    days = {"first": date_format(facts.first_day, "DATE_FORMAT"), "last": date_format(facts.last_day, "DATE_FORMAT")}
    return _(" between %(first)s and %(last)s") % days


def _per_system(report: StudyReport) -> str:
    votes = [row.ratings for scale in _scales(report) for row in report.select(scale, "system")]
    if not votes:
        return ""
    return _("Votes for each system on each scale: %(votes)s.") % {"votes": _extent(votes)}


def _extent(counts: list[int]) -> str:
    low, high = words.whole(min(counts)), words.whole(max(counts))
    return low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}


def _answered(facts: StudyFacts, question: str, sentence: str) -> str:
    counts = facts.answers.get(question)
    return sentence % {"answers": _counted_answers(PIECES[question].question, counts)} if counts else ""


def _counted_answers(question: Question | None, counts: Mapping[str, int]) -> str:
    said = {str(value): str(word) for value, word in question.options} if question else {}
    return "; ".join(f"{said.get(value, value)} ({count})" for value, count in counts.items())


def _conditions(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    if facts.seed is not None:
        yield _("The test ran in a web browser.")
    yield fill_in(_("where listeners took part, and in which acoustic conditions"))
    yield _answered(facts, EQUIPMENT, _("They said they listened with: %(answers)s."))
    if EQUIPMENT not in facts.answers:
        yield fill_in(_("headphones or loudspeakers: type, model, presentation level"))
    labels = {str(kind): str(kind.label) for kind in EquipmentCheck.Kind}
    results = [f"{labels[kind]} {right}/{tried}" for kind, (right, tried) in facts.checks.items() if tried]
    if results:
        yield _("Checks of the equipment before the rating (passed/taken): %(results)s.") % {
            "results": "; ".join(results)
        }


# ── Analysis ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _analysis(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    found = report.analysed
    if found is None:
        return
    yield _(
        "Each mean has two %(level)s intervals. “These clips, any listener”: Student’s t over one mean for each "
        "listener. "
        "“Any song, any listener”: variance components of listeners crossed with songs (Henderson’s method I) and t "
        "with "
        "Satterthwaite’s degrees of freedom, from five listeners and five songs on."
    ) % {"level": f"{100 * report.level:g} %"}
    yield _(
        "Systems were compared in pairs, on what the same listener said of the same excerpt and source, by the same "
        "two "
        "methods; p values were adjusted over all pairs of a scale by Holm’s method."
    )
    if found.options.replicates:
        yield _(
            "Ranks come from %(count)s crossed bootstrap replicates, with listeners and songs drawn anew (seed "
            "%(seed)s)."
        ) % {"count": words.whole(found.options.replicates), "seed": found.options.seed}
    yield _screening(found)


def _screening(found: Analysed) -> str:
    marked = flagged(found.found)
    counts = {"count": int(marked.sum()), "all": marked.size}
    rule = _("One rule, the same for every study (%(name)s), flags listeners who do not seem to listen.") % {
        "name": RULE_NAME
    }
    if not marked.any():
        return f"{rule} " + _("It flagged none of %(all)s.") % counts
    return (
        f"{rule} "
        + _("It flagged %(count)s of %(all)s. Nobody was excluded; results without the flagged are given beside.")
        % counts
    )


def _software(report: StudyReport, facts: StudyFacts) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    yield _("Test and analysis: StemMOS (%(versions)s).") % {"versions": versions}
    if report.digest:
        yield _("The ratings have the sha256 %(digest)s.") % {"digest": report.digest}


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return words.enumeration(known) if known else "—"
