"""The design of a study is frozen when it opens; what comes after is a new version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from listening_test import texts
from listening_test.design_selectors import design_digest, design_record, design_unchanged
from listening_test.models import Study
from listening_test.refusal import StudyRefused
from listening_test.services import preparation, sessions, studies
from tests.factories import song_make
from tests.listening_test.factories import clip_make, study_make, study_open_make


def opened(**fields: object) -> Study:
    """By the services, as a researcher does it."""
    study = study_make(**fields)  # type: ignore[arg-type]
    studies.study_open(study=study)
    preparation.preparation_run(study_id=study.pk)
    return Study.objects.get(pk=study.pk)


def test_opening_freezes_the_design(db: None) -> None:
    study = opened(songs=2)
    assert study.state == Study.State.OPEN
    assert len(study.design_digest) == 64
    assert design_unchanged(study)


def test_listeners_and_closing_leave_it_as_it_is(db: None) -> None:
    study = opened()
    sessions.session_start(study=study, language="es")
    study = studies.study_close(study=study)
    assert design_unchanged(study)
    assert design_unchanged(studies.study_reopen(study=study))


def _text(study: Study) -> None:
    study.texts.filter(language="en", key="instructions").update(text="Listen to the drums.")


def _consent(study: Study) -> None:
    study.texts.filter(language="es", key="consent").update(text="Otra cosa.")


def _seed(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(seed=study.seed + 1)


def _limit(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(trials_per_listener=2)


def _scales(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(scale_layout="apart")


def _words(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(contamination_words="acr")


def _clip_gone(study: Study) -> None:
    study.clips.filter(purpose="test")[0].delete()


def _clip_changed(study: Study) -> None:
    study.clips.filter(pk=study.clips.filter(purpose="test")[0].pk).update(sha256="0" * 64)


def _excerpt(study: Study) -> None:
    study.excerpts.update(end=2.25)


def _name(study: Study) -> None:
    """Listeners read it where there is no title."""
    Study.objects.filter(pk=study.pk).update(name="Otro")


CHANGES = [_name, _text, _consent, _seed, _limit, _scales, _words, _clip_gone, _clip_changed, _excerpt]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_decides_what_is_heard_or_read_is_in_the_digest(db: None, change: Callable[[Study], None]) -> None:
    study = opened()
    change(study)
    assert not design_unchanged(Study.objects.get(pk=study.pk))


@pytest.mark.parametrize("field", [{"quota": 3}, {"give_up_minutes": 5}, {"is_demo": True}])
def test_what_decides_nothing_of_it_is_not(db: None, field: dict[str, object]) -> None:
    study = opened()
    Study.objects.filter(pk=study.pk).update(**field)
    assert design_unchanged(Study.objects.get(pk=study.pk))


def test_a_language_more_is_no_change_of_a_study(db: None, settings: Settings) -> None:
    study = opened()
    settings.LANGUAGES = [*settings.LANGUAGES, ("pt-br", "português")]
    assert design_unchanged(Study.objects.get(pk=study.pk))


def test_other_words_of_the_product_are_no_change_of_a_study(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    study = opened()
    shown = {key: texts.study_text(study, key, "en") for key in texts.DEFAULTS}
    for key in texts.DEFAULTS:
        monkeypatch.setitem(texts.DEFAULTS, key, ("Other words.",))
    study = Study.objects.get(pk=study.pk)
    assert {key: texts.study_text(study, key, "en") for key in texts.DEFAULTS} == shown
    assert design_unchanged(study)


def test_a_study_of_before_the_words_could_be_chosen_still_has_its_design(db: None) -> None:
    """Its digest was made of a record that did not name them, with only the consent text kept."""
    study = opened()
    study.texts.exclude(key="consent").delete()
    record = design_record(Study.objects.get(pk=study.pk))
    del record["settings"]["contamination_words"]
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    old = {"design_form": 1, "design_digest": hashlib.sha256(text.encode()).hexdigest()}
    Study.objects.filter(pk=study.pk).update(**old)
    assert design_unchanged(Study.objects.get(pk=study.pk))
    for change in (_words, _seed):
        change(study)
        assert not design_unchanged(Study.objects.get(pk=study.pk))
        Study.objects.filter(pk=study.pk).update(contamination_words="amount")


def test_a_study_that_never_opened_has_no_frozen_design(db: None) -> None:
    assert not design_unchanged(study_make())


def test_the_same_study_has_the_same_digest_twice(db: None) -> None:
    study = opened(songs=2, repeats_per_listener=1)
    assert design_digest(study) == design_digest(Study.objects.get(pk=study.pk))


def test_the_researchers_page_checks_it(english: Client) -> None:
    study = opened()
    page = english.get(reverse("study", args=[study.pk])).content.decode()
    assert study.design_digest[:16] in page
    assert "nothing has changed" in page
    _seed(study)
    assert "it has changed since" in english.get(reverse("study", args=[study.pk])).content.decode()


# ── A new version ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_version_is_a_draft_with_the_same_content_that_says_what_it_follows(db: None) -> None:
    study = study_open_make(songs=2, repeats_per_listener=2, scale_layout="apart", trials_per_listener=4)
    later = studies.study_new_version(study=study)
    assert (later.version, later.earlier, later.state, later.name) == (2, study, "draft", study.name)
    assert later.seed != study.seed
    assert studies.study_content(later) == studies.study_content(study)
    assert (later.design_digest, later.clips.count(), later.sessions.count()) == ("", 0, 0)


def test_the_earlier_version_stays_as_it_was(db: None) -> None:
    study = opened()
    session = sessions.session_start(study=study, language="es")
    later = studies.study_new_version(study=study)
    content = studies.study_content(later)
    song = song_make(title="Otra", seed=9)
    spans = [*content.spans, studies.Span(song, 0.0, 1.5)]
    studies.study_update(study=later, content=replace(content, spans=spans))
    study.refresh_from_db()
    assert design_unchanged(study)
    assert (study.version, study.is_open, session.trials.count()) == (1, True, 4)


def test_versions_are_counted_on(db: None) -> None:
    later = studies.study_new_version(study=opened())
    studies.study_open(study=later)
    preparation.preparation_run(study_id=later.pk)
    assert studies.study_new_version(study=Study.objects.get(pk=later.pk)).version == 3


def test_recordings_of_attention_checks_come_with_it(db: None) -> None:
    study = study_open_make(trap_kind="spoken", traps_per_listener=1)
    expected = {"quality": [2, 2], "contamination": [2, 2]}
    made_by = {"how": "recorded", "name": "dos.wav", "samples": 22_050}
    clip_make(study=study, purpose="trap", language="es", expected=expected, made_by=made_by)
    recording = studies.study_new_version(study=study).clips.get()
    assert (recording.purpose, recording.language, recording.expected) == ("trap", "es", expected)


def test_a_draft_needs_no_new_version(db: None) -> None:
    with pytest.raises(StudyRefused, match="not_frozen"):
        studies.study_new_version(study=study_make())
