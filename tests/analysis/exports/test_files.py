"""The files of the results page, through its addresses."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analysis import dataset
from analysis.exports import ratings_csv
from analysis.exports.files import Material, export_files
from analysis.file_list import file_groups
from analysis.selectors import study_report
from listening_test.models import Study
from tests.analysis.factories import panel_make, study_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return panel_make(study_make(titles=["=1+1", "Dos"], name="Otoño, 2026"), listeners=3)


def address(study: Study, name: str) -> str:
    return reverse("results_file", args=[study.id, name])


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_every_file_of_the_page_comes(researcher_client: Client, study: Study) -> None:
    page = researcher_client.get(reverse("results", args=[study.id])).content.decode()
    names = [file.name for file in export_files(study_report(study))]
    assert len(names) == len(set(names)) > 20
    for name in names:
        response = researcher_client.get(address(study, name))
        body = content(response)
        assert response.status_code == 200 and body and int(response["Content-Length"]) == len(body)
        stem, _dot, extension = name.rpartition(".")
        assert f'filename="otono-2026-{stem}.{extension}"' in response["Content-Disposition"]
        if not name.endswith("-en.tex"):
            assert f'href="{address(study, name)}"' in page, name
    assert f'href="{address(study, "tables-en.tex")}"' not in page


def test_the_package_is_of_the_stored_ratings(researcher_client: Client, study: Study) -> None:
    response = researcher_client.get(reverse("results_package", args=[study.id]))
    assert 'filename="otono-2026-results-package.zip"' in response["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(content(response))) as package:
        assert package.testzip() is None
        assert package.read("ratings.csv") == b"".join(ratings_csv(dataset.ratings(study)))
        assert b"=1+1" in package.read("methods.txt")
    empty = study_make(titles=["One more"])
    assert researcher_client.get(reverse("results_package", args=[empty.id])).status_code == 404


def test_files_are_made_of_what_is_stored(researcher_client: Client, study: Study) -> None:
    assert content(researcher_client.get(address(study, "ratings.csv"))) == b"".join(
        ratings_csv(dataset.ratings(study))
    )
    book = openpyxl.load_workbook(io.BytesIO(content(researcher_client.get(address(study, "results.xlsx")))))
    assert book["ratings"].max_row == 1 + 2 * 3 * 12
    assert content(researcher_client.get(address(study, "tables-es.tex"))).startswith(rb"\documentclass")


def test_each_file_says_what_it_is_for_in_both_languages(study: Study) -> None:
    from django.utils import translation

    said = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            groups = file_groups(study_report(study))
            links = [link for group in groups for link in (*group.first, *group.rest)]
            assert all(link.title and link.purpose for link in links)
            said.append([link.purpose for link in links])
    assert len(said[0]) == len(said[1]) and not set(said[0]) & set(said[1])


@pytest.mark.parametrize("name", ["nothing.csv", "ratings.tex", "matrix-other.csv", "ratings.zip", "..csv"])
def test_what_is_no_file_is_not_found(researcher_client: Client, study: Study, name: str) -> None:
    assert researcher_client.get(f"/studies/{study.id}/results/{name}").status_code == 404


def test_only_researchers_get_files(client: Client, study: Study) -> None:
    assert client.get(address(study, "results.xlsx")).status_code == 302
    client.force_login(User.objects.create_user("somebody"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address(study, "results.xlsx")).status_code == 403


def test_a_study_without_ratings_has_files_that_say_so(researcher_client: Client) -> None:
    empty = study_make(titles=["One"])
    for file in export_files(study_report(empty)):
        assert researcher_client.get(address(empty, file.name)).status_code == 200, file.name


def test_ratings_are_read_once_and_only_where_they_are_needed(study: Study) -> None:
    fetched = []
    material = Material(study_report(study), lambda: fetched.append(1) or dataset.ratings(study))  # type: ignore[func-returns-value]
    by_name = {file.name: file for file in export_files(material.report)}
    by_name["mos.csv"].write(material, io.BytesIO())
    assert not fetched
    for name in ("ratings.csv", "ratings-wide.csv"):
        by_name[name].write(material, io.BytesIO())
    assert len(fetched) == 1
