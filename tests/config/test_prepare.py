"""`manage.py prepare`: safe to run at every start."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import RequestFactory

from config.management.commands import prepare
from listening_test.models import Study


@pytest.fixture
def no_static(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seconds that it takes to collect the files of the admin."""
    monkeypatch.setattr(prepare.Command, "collect_static_files", lambda command: None)


def prepared() -> dict[str, Any]:
    output = StringIO()
    call_command("prepare", "--json", stdout=output, stderr=StringIO())
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


def test_the_first_start_makes_a_researcher_who_can_log_in(db: None, no_static: None) -> None:
    password = prepared()["password"]
    assert len(password) == 19
    request = RequestFactory().post("/accounts/login/")
    user = authenticate(request, username="researcher", password=password)
    assert isinstance(user, User)
    assert user.is_staff and user.is_superuser


def test_later_starts_make_none_and_tell_no_password(db: None, no_static: None) -> None:
    prepared()
    assert prepared()["password"] is None
    assert User.objects.count() == 1


def test_somebody_who_can_log_in_is_enough(db: None, no_static: None) -> None:
    User.objects.create_user("ana", password="a long password", is_staff=True)
    assert prepared()["password"] is None


def test_a_name_that_is_taken_is_left_alone(db: None, no_static: None) -> None:
    User.objects.create_user("researcher", password="not a member of staff")
    assert prepared()["password"]
    assert User.objects.get(username="researcher").is_staff is False
    assert User.objects.get(username="researcher2").is_staff is True


def test_a_given_password_is_taken(db: None, no_static: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEARCHER_PASSWORD", "given by the operator")
    prepared()
    assert User.objects.get().check_password("given by the operator")


def test_two_passwords_are_never_alike() -> None:
    assert len({prepare.new_password() for _draw in range(100)}) == 100


def test_static_files_are_collected_once_and_again_after_a_change(db: None, settings: Any, tmp_path: Path) -> None:
    static = settings.STATIC_ROOT = tmp_path / "static"
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.css").write_text("a {}")
    settings.STATICFILES_DIRS = [source]
    settings.BASE_DIR = tmp_path
    (tmp_path / "requirements.txt").write_text("")
    prepared()
    (static / "page.css").unlink()
    prepared()
    assert not (static / "page.css").exists()  # nothing has changed, so nothing was done
    (source / "page.css").write_text("b {}")
    prepared()
    assert (static / "page.css").read_text() == "b {}"


def test_only_an_open_demo_study_is_pointed_at(db: None, no_static: None) -> None:
    demo = Study.objects.create(name="demo", is_demo=True)
    assert prepared()["demo"] == {}
    open_study(demo)
    assert prepared()["demo"] == {"listen": f"/s/{demo.token}/"}


def test_the_demo_is_due_where_no_study_exists_or_it_was_interrupted(db: None, no_static: None) -> None:
    assert prepared()["demo_due"] is True
    demo = Study.objects.create(name="demo", is_demo=True)
    assert prepared()["demo_due"] is True
    open_study(demo)
    assert prepared()["demo_due"] is False


def test_studies_of_researchers_ask_for_no_demo(db: None, no_static: None) -> None:
    Study.objects.create(name="mine")
    assert prepared()["demo_due"] is False


def open_study(study: Study) -> None:
    study.state, study.opened_at = Study.State.OPEN, study.created_at
    study.save()


def test_people_are_told_in_words(db: None, no_static: None) -> None:
    output = StringIO()
    call_command("prepare", stdout=output, stderr=StringIO())
    assert output.getvalue().startswith("Researcher account made: researcher, password ")
