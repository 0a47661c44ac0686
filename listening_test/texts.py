"""What a study says to its listeners: the researcher's words, or the product's own where there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listening_test.models import Study, StudyText

Key = StudyText.Key

DEFAULTS: dict[str, Sequence[str | Promise]] = {
    Key.CONSENT: (
        _(
            "This is a study about how music sounds. Short clips of music are played, and after each one we ask how it "
            "sounded. There are no right or wrong answers: we want to know what is heard."
        ),
        _(
            "Taking part is voluntary. It is possible to stop at any moment, without giving a reason, by closing the "
            "page."
        ),
        _(
            "We do not ask for your name, your e-mail or anything else that says who you are. Your answers are stored "
            "under a random number and are used for research; they may be published in a form that does not let "
            "anyone be recognised. A cookie on this device keeps your place for 30 days, so that it is possible to "
            "come back and go on."
        ),
        _(
            "Each visit has a personal code, which is shown during the test and at its end. With it everything that is "
            "stored about the visit can be seen, downloaded and erased at any time, without asking anyone."
        ),
        _("If the sound is ever too loud or unpleasant, lower the volume or stop."),
    ),
    Key.INSTRUCTIONS: (
        _(
            "In each clip one voice or one instrument of a song is heard by itself. Sometimes it sounds as if it had "
            "been recorded alone; sometimes it sounds damaged, or other instruments are still heard behind it."
        ),
        _("You will hear short clips, one at a time. After each one there are two questions:"),
        _(
            "• Quality: how natural does it sound? Listen for noises, breaks, or a hollow, metallic or underwater "
            "sound that does not belong to the voice or instrument."
        ),
        _(
            "• Contamination: how much of the other instruments can you hear? It does not matter here whether it "
            "sounds good: only whether something else is heard."
        ),
        _(
            "The two are independent: a clip may sound very natural with other instruments behind it, or be damaged "
            "and yet be alone. Go by your first impression, and judge the sound, not the music."
        ),
    ),
    Key.THANKS: (_("Thank you for listening. Your answers have been saved, and they help us a great deal."),),
}
OF_PLATFORM = _(
    "The platform that sent you here passes on its own identifiers with the link. They are stored with the visit, so "
    "that it can be told that you took part, and they are in no published data."
)
OF_RETENTION = _(
    "After %(days)s days the answers about yourself, what is known of your device, the identifiers of any platform and "
    "the personal code are removed. The ratings stay, and nobody can tell any more whose they were."
)


def study_title(study: Study, language: str) -> str:
    """The title in this language, else in another one, else the study's name."""
    titles = {text.language: text.text for text in study.texts.all() if text.key == Key.TITLE}
    return titles.get(language) or next(iter(titles.values()), study.name)


def study_text(study: Study, key: str, language: str) -> str:
    """Consent, instructions or thanks, as paragraphs of plain text with empty lines between them."""
    own = next((text.text for text in study.texts.all() if (text.key, text.language) == (key, language)), "")
    return own or product_text(study, key, language)


def own_texts(study: Study) -> dict[tuple[str, str], str]:
    """(language, key) -> text: the researcher's. The product's own are kept with a study that has been opened."""
    rows = {(text.language, text.key): text.text for text in study.texts.all()}
    return {
        (language, key): text
        for (language, key), text in rows.items()
        if key not in DEFAULTS or text != product_text(study, key, language)
    }


def product_text(study: Study, key: str, language: str) -> str:
    """The product's own words, with what they must say of this study."""
    paragraphs = _consent_of(study, language) if key == Key.CONSENT else []
    return "\n\n".join([default_text(key, language), *paragraphs])


def default_text(key: str, language: str) -> str:
    with translation.override(language):
        return "\n\n".join(str(paragraph) for paragraph in DEFAULTS[key])


def _consent_of(study: Study, language: str) -> list[str]:
    """What the product's own text says of this study's recruiting and retention."""
    with translation.override(language):
        said = []
        if study.platform:
            said.append(str(OF_PLATFORM))
        if study.retention_days:
            said.append(str(OF_RETENTION) % {"days": study.retention_days})
        return said


def consent_sha256(study: Study, language: str) -> str:
    """The version of what is agreed to."""
    return hashlib.sha256(study_text(study, Key.CONSENT, language).encode()).hexdigest()
