"""Plans and forecasts as sentences."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import words
from analysis.planning import POWER, STOPPING_COVERAGE, Answer, Live
from listening_test.outline import SECONDS_TO_RATE
from listening_test.scales import SCALES

USUAL_SECONDS = 10.0  # of a clip


def gives(found: Answer) -> str:
    """The answer in one sentence."""
    return _(
        "With %(listeners)s listeners and %(songs)s songs, each system’s mean is known to about ±%(width)s, and a true "
        "difference of %(difference)s between two of them is found in %(power)s of 10 such studies."
    ) % {
        "listeners": words.whole(found.wish.listeners),
        "songs": words.whole(found.wish.songs),
        "width": words.number(found.mean.half_width),
        "difference": words.number(found.difference.detectable),
        "power": round(10 * POWER),
    }


def needs(found: Answer) -> list[str]:
    """What each wish takes."""
    width = {"width": words.number(found.wish.half_width)}
    difference = {"difference": words.number(found.wish.difference)}
    return [
        _ways(_("For ±%(width)s:") % width, found, found.width_listeners, found.width_songs),
        _ways(
            _("To find a difference of %(difference)s:") % difference,
            found,
            found.difference_listeners,
            found.difference_songs,
        ),
    ]


def _ways(start: str, found: Answer, listeners: int | None, songs: int | None) -> str:
    ways = []
    if listeners is not None:
        ways.append(
            _("%(needed)s listeners with these %(songs)s songs")
            % {"needed": words.whole(listeners), "songs": words.whole(found.wish.songs)}
        )
    if songs is not None:
        ways.append(
            _("%(needed)s songs with these %(listeners)s listeners")
            % {"needed": words.whole(songs), "listeners": words.whole(found.wish.listeners)}
        )
    return f"{start} {_either(ways)}"


def _either(ways: list[str]) -> str:
    if not ways:
        return _("more of both: neither more listeners alone nor more songs alone are enough.")
    if len(ways) == 1:
        return f"{ways[0]}."
    return _("%(one)s, or %(other)s.") % {"one": ways[0], "other": ways[1]}


def session(found: Answer) -> str:
    """What it asks of one listener."""
    clips = found.wish.clips_each
    minutes = max(round(clips * (USUAL_SECONDS + SECONDS_TO_RATE) / 60.0), 1)
    return ngettext(
        "Each listener hears %(clips)s clip: about %(minutes)s minutes, with clips of 10 s rated on both scales.",
        "Each listener hears %(clips)s clips: about %(minutes)s minutes, with clips of 10 s rated on both scales.",
        clips,
    ) % {"clips": words.whole(clips), "minutes": words.whole(minutes)}


def stands(one: Live, half_width: float) -> str:
    """A running study on one scale: now, at its end, and what the wish takes."""
    told = one.forecast
    says = _("%(scale)s: now ±%(now)s (%(listeners)s listeners, %(songs)s songs).") % {
        "scale": scale_name(one.scale),
        "now": words.number(told.now.half_width),
        "listeners": words.whole(told.now.plan.listeners),
        "songs": words.whole(told.now.plan.songs),
    }
    parts = [says]
    if told.at_end.plan.listeners > told.now.plan.listeners:
        parts.append(
            _("With %(listeners)s listeners about ±%(width)s.")
            % {
                "listeners": words.whole(told.at_end.plan.listeners),
                "width": words.number(told.at_end.half_width),
            }
        )
    return " ".join([*parts, _to_reach(one, half_width)])


def _to_reach(one: Live, half_width: float) -> str:
    told, wanted = one.forecast, {"width": words.number(half_width)}
    if told.reached:
        return _("The wanted ±%(width)s is reached.") % wanted
    ways = []
    if told.needed is not None:
        ways.append(_("%(count)s listeners with these songs") % {"count": words.whole(told.needed)})
    if one.songs is not None:
        ways.append(
            _("%(count)s songs with %(listeners)s listeners")
            % {"count": words.whole(one.songs), "listeners": words.whole(told.at_end.plan.listeners)}
        )
    return _("To reach ±%(width)s:") % wanted + " " + _either(ways)


def stopping() -> str:
    return _(
        "It is fine to stop as soon as the interval is as narrow as was wanted: its promise of 95 %% then holds in "
        "%(coverage)s %% of simulated studies. Never stop because a difference has become significant: looking again "
        "and again finds differences that are not there."
    ) % {"coverage": words.number(100 * STOPPING_COVERAGE, 1)}


def scale_name(key: str) -> str:
    return str(SCALES[key].name) if key in SCALES else key
