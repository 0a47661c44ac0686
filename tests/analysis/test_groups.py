"""Who hears differently: what is read of answers, what is found, and what stays unsaid."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.test import Client
from django.urls import reverse

from analysis.exports.questions import GROUP_COLUMNS, groups_csv
from analysis.group_views import LABELS, TITLES, groups_context, label
from analysis.groups import GROUPS, group_report
from analysis.listener_facts import ListenerFacts, listener_facts
from analysis.report import StudyReport
from analysis.selectors import study_report
from analysis.tidy import counted
from listening_test.models import Answer, EquipmentCheck, Study

from .factories import panel_make, rate_all, session_make, study_make
from .tables import crossed, report


def named(number: int) -> str:
    return f"listener-{number:02d}"


def with_groups(table: pd.DataFrame, facts: ListenerFacts) -> StudyReport:
    found = report(table)
    return replace(found, groups=group_report(found.analysed, counted(table), facts))


def experience(values: dict[int, str]) -> ListenerFacts:
    return ListenerFacts({"experience": {named(who): value for who, value in values.items()}})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return crossed(listeners=13, songs=5)


# ── Groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_that_rates_lower_is_found(table: pd.DataFrame, in_english: None) -> None:
    strict = table["listener"].isin([named(who) for who in range(6)])
    lower = table.assign(score=np.where(strict, np.maximum(table["score"] - 2, 1), table["score"]))
    found = with_groups(lower, experience({who: "trained" if who < 6 else "casual" for who in range(13)}))
    assert found.groups
    [quality, contamination] = sorted(found.groups.facts, key=lambda fact: fact.scale != "quality")
    assert (quality.fact, quality.scale, contamination.scale) == ("experience", "quality", "contamination")
    by_group = {GROUPS["experience"][row.group]: row for row in quality.effect.rows}
    assert set(by_group) == {"casual", "trained"}  # groups without anybody are not lines
    own = lower[(lower["scale"] == "quality") & strict]
    assert by_group["trained"].mos == pytest.approx(own["score"].mean())
    assert by_group["trained"].listeners == 6
    assert by_group["trained"].deviation < -0.5 < 0 < by_group["casual"].deviation
    said = groups_context(found)["groups"].scales[0][1][0].sentence
    assert "rate higher than “I have trained my hearing for tests like this one”" in said


def test_a_group_of_one_is_a_person_and_not_shown(table: pd.DataFrame, in_english: None) -> None:
    who = {
        0: "trained",
        **dict.fromkeys(range(1, 7), "casual"),
        **dict.fromkeys((7, 8, 9), "attentive"),
    }
    found = with_groups(table, experience(who))
    assert found.groups
    fact = found.groups.facts[0]
    assert [GROUPS["experience"][row.group] for row in fact.effect.rows] == ["casual", "attentive"]
    assert (fact.alone, fact.unknown) == (1, 3)
    view = groups_context(found)["groups"].scales[0][1][0]
    assert "would be a person" in " ".join(view.notes) and "3 listeners" in " ".join(view.notes)
    assert "fewer than five" in view.lines[1].limits  # three listeners: a mean, and no interval
    assert "not two groups" in view.sentence
    assert "trained" not in groups_csv(found).decode()


def test_nobody_was_asked(table: pd.DataFrame, in_english: None) -> None:
    found = with_groups(table, ListenerFacts())
    assert found.groups and not found.groups.facts
    view = groups_context(found)["groups"]
    assert "nobody was asked" in view.summary[0]
    assert any("Familiar styles: not asked" in sentence for sentence in view.scales[0][2])


def test_nothing_rated_has_no_groups() -> None:
    empty = crossed(listeners=1, songs=1).iloc[:0]
    found = with_groups(empty, ListenerFacts())
    assert found.groups and not found.groups.facts and not found.groups.effects
    assert groups_csv(found).decode().count("\n") == 1


@pytest.mark.parametrize("listeners", [1, 2, 4])
def test_few_listeners_get_sentences(listeners: int, in_english: None) -> None:
    small = crossed(listeners=listeners, songs=2)
    found = with_groups(small, experience(dict.fromkeys(range(listeners), "casual")))
    sentences = [sentence for _scale, _facts, own in groups_context(found)["groups"].scales for sentence in own]
    assert sentences and all("not asked (" in sentence for sentence in sentences)
    assert "nan" not in groups_csv(found).decode()


# ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scores_that_fall_along_the_session_are_found(in_english: None) -> None:
    """Every listener meets the clips in an order of their own, and gives one point less in the second half."""
    flat = crossed(listeners=10, songs=6, sources=("vocals",))
    rng = np.random.default_rng(1)
    orders = {who: rng.permutation(18) for who in flat["listener"].unique()}
    position = np.array([orders[who][place] for who, place in zip(flat["listener"], flat["position"], strict=True)])
    tired = flat.assign(position=position, score=np.clip(flat["score"] - (position >= 9), 1, 5))
    found = with_groups(tired, ListenerFacts())
    assert found.groups
    for own in found.groups.effects:
        assert own.session.order and own.session.order.interval.high < 0
    assert "Order: scores change by −" in groups_context(found)["groups"].scales[0][2][0]


def test_familiar_songs_of_the_same_listeners(in_english: None) -> None:
    """Half of the listeners know the first songs, the other half the last, and each rates known ones higher."""
    base = crossed(listeners=10, songs=6, sources=("vocals",))
    number = base["listener"].str[-2:].astype(int)
    song = base["song_id"].str[-1].astype(int)
    knows = (song < 3) == (number < 5)
    told = {named(who): {f"song-{s}": 5 if (s < 3) == (who < 5) else 1 for s in range(6)} for who in range(10)}
    higher = base.assign(score=np.clip(base["score"] + knows, 1, 5))
    found = with_groups(higher, ListenerFacts({}, told))
    assert found.groups
    for own in found.groups.effects:
        assert own.familiar and own.familiar.interval.low > 0
        assert own.familiar.pairs == 10


def test_the_file_has_groups_pairs_and_effects(table: pd.DataFrame) -> None:
    found = with_groups(table, experience({who: "trained" if who < 6 else "casual" for who in range(13)}))
    rows = list(csv.DictReader(io.StringIO(groups_csv(found).decode())))
    assert tuple(rows[0]) == GROUP_COLUMNS
    own = [row for row in rows if row["scale"] == "quality"]
    assert [(row["what"], row["group"], row["minus"]) for row in own] == [
        *(("experience", "casual", ""), ("experience", "trained", ""), ("experience", "casual", "trained")),
        *((what, "", "") for what in ("order_per_100_trials", "fatigue_per_100_trials")),
        *((what, "", "") for what in ("this_scale_first", "familiar_songs")),
    ]


def test_every_group_has_words() -> None:
    assert set(TITLES) == set(GROUPS)
    for fact, groups in GROUPS.items():
        assert all(label(fact, place) for place in range(len(groups)))
    assert all(len(LABELS[fact]) == len(GROUPS[fact]) for fact in LABELS)


# ── A study in the database ─────────────────────────────────────────────────────────────────────────────────────────


def answered(study: Study, question: str, values: list[Any]) -> None:
    for session, value in zip(study.sessions.order_by("number"), values, strict=False):
        if value is not None:
            Answer.objects.create(session=session, question=question, value=value)


@pytest.mark.django_db
def test_answers_and_checks_of_a_real_study(english: Client) -> None:
    study = panel_make(study_make(titles=["One", "Two"]), listeners=11)
    song = study.clips.first().excerpt.song_id  # type: ignore[union-attr]
    answered(study, "experience", ["casual"] * 5 + ["trained"] * 5 + ["attentive"])
    answered(study, "attention", [5] * 6 + [3] * 5)
    answered(study, f"familiarity:{song}", [1, 5] * 5)
    answered(study, "comment", ["a secret"] * 11)
    for number, session in enumerate(study.sessions.order_by("number")):
        EquipmentCheck.objects.create(session=session, kind="sides", passed=number > 1)
    tried = session_make(study, is_test=True)
    rate_all(tried, lambda *_of: 1)
    Answer.objects.create(session=tried, question="experience", value="practised")
    facts = listener_facts(study)
    assert set(facts.answers) == {"experience", "attention"}
    assert str(tried.listener_id) not in facts.answers["experience"]
    assert sorted(own[str(song)] for own in facts.familiarity.values()) == [1] * 5 + [5] * 5

    found = study_report(study).groups
    assert found
    own = {fact.fact: fact for fact in found.facts if fact.scale == "quality"}
    assert set(own) == {"familiarity", "experience", "checks", "attention"}
    sizes = {fact: {GROUPS[fact][row.group]: row.listeners for row in one.effect.rows} for fact, one in own.items()}
    assert sizes == {
        "familiarity": {"little": 5, "much": 5},
        "experience": {"casual": 5, "trained": 5},
        "checks": {"passed": 9, "failed": 2},
        "attention": {"less": 5, "full": 6},
    }
    page = english.get(reverse("results", args=[study.id])).content.decode()
    assert "Experience in judging sound" in page and "would be a person" in page
    assert "I often notice" not in page and "a secret" not in page
    answer = english.get(reverse("results_file", args=[study.id, "groups-and-sessions.csv"]))
    assert b"experience,casual" in b"".join(answer)  # type: ignore[call-overload]
