"""What a listener reads at each check of the equipment. The riddles' answers are in none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from listening_test import equipment
from listening_test.equipment import Kind

Words = str | Promise
ORDINALS: Mapping[str, Words] = {
    equipment.FIRST: pgettext_lazy("of three sounds", "First"),
    equipment.SECOND: pgettext_lazy("of three sounds", "Second"),
    equipment.THIRD: pgettext_lazy("of three sounds", "Third"),
}
NO_HEADPHONES_AGAIN = _(
    "With headphones on, other answers are usual. Please check that they sit well and are plugged in all the way, and "
    "try once more."
)
NO_HEADPHONES = _(
    "It seems that no headphones are in use. Much more can be heard with them: please use some if there are any."
)
NO_HEADPHONES_ENDED = _("This listening test needs headphones, and the check found none.")


@dataclass(frozen=True)
class CheckWords:
    """`again`: before another attempt. `failed`: where the listener goes on all the same, and is told."""

    heading: Words
    intro: Words
    question: Words
    options: Mapping[str, Words]
    again: Words
    failed: Words
    ended: Words


WORDS: Mapping[str, CheckWords] = {
    Kind.QUIET: CheckWords(
        heading=_("Where you are"),
        intro=_("Small differences are easily missed when there is noise around."),
        question=_("How quiet is it around you?"),
        options={
            equipment.QUIET: _("Quiet"),
            equipment.SOME_NOISE: _("Some noise, but music can be heard clearly"),
            equipment.NOISY: _("Noisy"),
        },
        again=_(
            "Could a window or a door be closed, or is there a quieter room? Take your time and then answer again."
        ),
        failed=_("Thank you for saying so. Please listen as carefully as the noise allows."),
        ended=_("This listening test needs a quiet place, and just now there is none."),
    ),
    Kind.LEVEL: CheckWords(
        heading=_("The volume"),
        intro=_(
            "Play the clip and set the volume of the device so that it is clear and comfortable. After that, please "
            "leave the volume alone until the end: it fits everything that follows."
        ),
        question=_("Is the volume right now?"),
        options={
            equipment.COMFORTABLE: _("Yes, clear and comfortable"),
            equipment.NOT_COMFORTABLE: _("No, it cannot be set so"),
        },
        again=_(
            "Please check whether the sound is muted or the headphones have a control of their own, and try once more."
        ),
        failed=_("The volume could not be set well. Please listen as well as the device allows."),
        ended=_("This listening test needs a device whose volume can be set well."),
    ),
    Kind.SIDES: CheckWords(
        heading=_("Left and right"),
        intro=_(
            "Put the headphones on with the side marked L on the left ear. Each sound is played on one side: say which."
        ),
        question=_("On which side was the sound?"),
        options={
            equipment.LEFT: _("Left"),
            equipment.RIGHT: _("Right"),
            equipment.NEITHER: _("Both, or not sure"),
        },
        again=_(
            "The sides do not fit yet. Please check whether the headphones are the right way round and plugged in "
            "all the way, whether both sides sound, and try once more."
        ),
        failed=_("Left and right could not be told apart. Please listen with headphones if there are any."),
        ended=_("This listening test needs left and right to be heard apart, as they are with headphones."),
    ),
    Kind.ANTIPHASE: CheckWords(
        heading=_("The quietest tone"),
        intro=_("Each time three tones are played, one after the other. Say which of them is the quietest."),
        question=_("Which tone was the quietest?"),
        options=ORDINALS,
        again=NO_HEADPHONES_AGAIN,
        failed=NO_HEADPHONES,
        ended=NO_HEADPHONES_ENDED,
    ),
    Kind.HUGGINS: CheckWords(
        heading=_("The hidden tone"),
        intro=_("Each time there are three rushes of noise. One of them hides a soft tone. Say which one."),
        question=_("Which noise hid the tone?"),
        options=ORDINALS,
        again=NO_HEADPHONES_AGAIN,
        failed=NO_HEADPHONES,
        ended=NO_HEADPHONES_ENDED,
    ),
}


def ended_words(reason: str) -> Words:
    """Why a session ended before the rating, `reason` as it stands in the session's row."""
    words = WORDS.get(reason.removeprefix("equipment_"))
    return words.ended if words else ""
