"""`script/bootstrap` with stand-ins for Python and df: what it says, what it installs again and what it does not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.running import ROOT

TOOLS = ("bash", "env", "dirname", "df", "du", "awk", "cat", "tee", "grep", "tail", "mkdir", "cp")

# A Python that makes an environment holding itself, and a pip that writes down what it was asked for.
PYTHON = f"""#!/bin/sh
project=$(dirname "$0")/..
case "$*" in
  "-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip --version") ;;
  "-m pip install"*)
    echo "$*" >>pip.txt
    echo "Collecting numpy==1.0"
    [ ! -e pip-fails ] || {{ echo "ERROR: no network"; exit 1; }} ;;
  "-m babel"*) echo "$*" >>babel.txt ;;
  *) exec {sys.executable} "$@" ;;
esac
"""


class Project:
    """A folder with the script and requirements, and a PATH with nothing else on it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "project", folder / "bin"
        (self.root / "script").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "script/bootstrap", self.root / "script")
        for name in ("requirements.txt", "requirements-separators.txt", "requirements-dev.txt"):
            (self.root / name).write_text(f"# {name}\nnumpy==1.0\n")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self.command("python3.11", PYTHON)

    def command(self, name: str, text: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def bootstrap(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "script/bootstrap", *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.root)},
            capture_output=True,
            text=True,
        )

    def installs(self) -> list[str]:
        """The requirements files that pip was given, in order, since the last question."""
        record = self.root / "pip.txt"
        lines = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return [line.split()[-1] for line in lines]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_without_python_311_it_says_how_to_get_it(project: Project) -> None:
    project.command("python3.11", "#!/bin/sh\necho 'pyenv: python3.11: command not found' >&2; exit 127\n")
    done = project.bootstrap()
    assert done.returncode == 1
    assert done.stderr.startswith("StemMOS needs Python 3.11")
    for way in ("Debian 12", "Ubuntu 24.04", "macOS"):
        assert way in done.stderr
    assert not (project.root / ".venv").exists()


def test_another_python_is_not_taken_for_it(project: Project) -> None:
    project.command("python3", "#!/bin/sh\nexit 1\n")  # what the version check of a 3.12 answers
    (project.bin / "python3.11").unlink()
    assert project.bootstrap().returncode == 1


def test_a_python_without_its_venv_part_gets_a_sentence_of_its_own(project: Project) -> None:
    project.command("python3.11", PYTHON.replace("case", 'case "$2" in "import ensurepip"*) exit 1;; esac\ncase', 1))
    done = project.bootstrap()
    assert done.returncode == 1
    assert "sudo apt install python3.11-venv" in done.stderr


def test_too_little_disk_space_is_said_before_anything_is_made(project: Project) -> None:
    project.command("df", "#!/bin/sh\nprintf 'Filesystem 1024-blocks Used Available\\n/dev/x 9 9 2097152 9%% /\\n'\n")
    done = project.bootstrap()
    assert done.returncode == 1
    assert "needs about 6.0 GB" in done.stderr and "has 2.0 GB" in done.stderr
    assert not (project.root / ".venv").exists()


def test_the_second_time_there_is_nothing_to_do(project: Project) -> None:
    assert project.bootstrap().returncode == 0
    assert project.installs() == ["requirements.txt", "requirements-separators.txt"]
    again = project.bootstrap()
    assert (again.returncode, again.stdout, project.installs()) == (0, "", [])


def test_changed_requirements_are_installed(project: Project) -> None:
    project.bootstrap()
    project.installs()
    (project.root / "requirements-separators.txt").write_text("spleeter==9\n")
    project.bootstrap()
    assert project.installs() == ["requirements.txt", "requirements-separators.txt"]


def test_an_interrupted_installation_goes_on(project: Project) -> None:
    (project.root / "pip-fails").write_text("")
    done = project.bootstrap()
    assert done.returncode == 1
    assert "ERROR: no network" in done.stderr and "Run this again" in done.stderr
    project.installs()
    (project.root / "pip-fails").unlink()
    assert project.bootstrap().returncode == 0
    assert project.installs() == ["requirements.txt", "requirements-separators.txt"]


def test_dev_adds_what_tests_need_once(project: Project) -> None:
    project.bootstrap("--dev")
    assert project.installs()[-1] == "requirements-dev.txt"
    project.bootstrap("--dev")
    assert project.installs() == []


def test_messages_are_compiled_when_they_have_changed(project: Project) -> None:
    messages = project.root / "locale/es/LC_MESSAGES"
    messages.mkdir(parents=True)
    (messages / "django.po").write_text("")
    project.bootstrap()
    assert (project.root / "babel.txt").exists()
    (project.root / "babel.txt").unlink()
    (messages / "django.mo").write_text("")
    project.bootstrap()
    assert not (project.root / "babel.txt").exists()


def test_an_argument_that_is_none_is_refused(project: Project) -> None:
    assert project.bootstrap("--development").returncode == 2
