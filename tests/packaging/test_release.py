# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions for releasing a commit, and that both CI systems run the sessions of noxfile.py."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml

from .support import ROOT

CHECK = ROOT / "tools" / "check_release.py"


def git(root: pathlib.Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def write(root: pathlib.Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(name="released")
def released_fixture(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a repository whose newest commit is release 1.2.3."""
    write(tmp_path, "galaxy.yml", "version: 1.2.3\n")
    write(tmp_path, "CHANGELOG.md", "# Notes\n\n## v1\\.2\\.3\n")
    write(tmp_path, "changelogs/changelog.yaml", "releases: {1.2.3: {}}\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "--quiet", "-m", "Release 1.2.3")
    git(tmp_path, "tag", "-a", "1.2.3", "-m", "Release 1.2.3")
    return tmp_path


def check_release(root: pathlib.Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_tagged_release_commit_can_be_released(released: pathlib.Path) -> None:
    assert check_release(released) == (0, "The commit can be released.\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("galaxy.yml", "version: 1.2.4\n"), "has the tag 1.2.3, but the version in galaxy.yml is 1.2.4."),
        (("changelogs/changelog.yaml", "releases: {}\n"), "has no release 1.2.3"),
        (("CHANGELOG.md", "# Notes\n"), "CHANGELOG.md does not contain 1.2.3."),
        (("changelogs/fragments/new.yml", "bugfixes: [x]\n"), "still has new.yml"),
    ],
)
def test_incomplete_release_is_refused(released: pathlib.Path, change: tuple[str, str], words: str) -> None:
    write(released, *change)
    status, output = check_release(released)
    assert status == 1 and words in output and "1 files are not committed" in output
    git(released, "add", "-A")
    git(released, "commit", "--quiet", "-m", "Change")
    git(released, "tag", "-f", "1.2.3", "-m", "again")
    status, output = check_release(released)
    assert status == 1 and words in output and output.count("\n") >= 1 and "not committed" not in output


def test_commit_without_a_tag_is_refused(released: pathlib.Path) -> None:
    git(released, "commit", "--quiet", "--allow-empty", "-m", "Next")
    assert check_release(released) == (1, "The commit has no tag; the version in galaxy.yml is 1.2.3.\n")


# ----- CI -----


def sessions() -> dict[str, t.Any]:
    """Return the definitions of noxfile.py: session names, required sessions, weekly checks, and the matrix."""
    command = [sys.executable, "-m", "nox", "--list"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    groups = dict(re.findall(r"^(TEST|CHECK): t\.Final = \((.*?)\)$", source, re.MULTILINE | re.DOTALL))
    test, check = (set(re.findall(r'"(.*?)"', groups[name])) for name in ("TEST", "CHECK"))
    return {
        "names": set(re.findall(r"^[*-] ([\w-]+)", listed, re.MULTILINE)),
        "test": test,
        "weekly": check - {"test", "matrix", "oldest"},
        "matrix": {
            (python, core) for core, python in re.findall(r'^    "(2\.\d+)": \("([\d.]+)", ', source, re.MULTILINE)
        },
    }


def github() -> dict[str, t.Any]:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]
    rows = jobs["matrix"]["strategy"]["matrix"]["include"]
    return {
        "test": jobs["test"]["strategy"]["matrix"]["session"],
        "weekly": jobs["weekly"]["strategy"]["matrix"]["session"],
        "matrix": {(row["python"], row["core"]) for row in rows},
    }


def gitlab() -> dict[str, t.Any]:
    jobs = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    rows = jobs["matrix"]["parallel"]["matrix"]
    return {
        "test": jobs["test"]["parallel"]["matrix"][0]["SESSION"],
        "weekly": jobs["weekly"]["parallel"]["matrix"][0]["SESSION"],
        "matrix": {(row["PYTHON_VERSION"], row["CORE"]) for row in rows},
    }


@pytest.mark.parametrize("described", [github, gitlab])
def test_ci_runs_the_sessions_of_the_noxfile(described: t.Callable[[], dict[str, t.Any]]) -> None:
    known, run = sessions(), described()
    assert set(run["test"]) == known["test"]
    assert set(run["weekly"]) == known["weekly"]
    assert set(run["test"]) | set(run["weekly"]) <= known["names"]
    assert run["matrix"] == known["matrix"]


def test_gitlab_ci_installs_java_for_the_eda_session() -> None:
    weekly = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))["weekly"]
    assert any(re.search("eda.* install openjdk", line) for line in weekly["before_script"])


def test_both_ci_systems_run_the_same_sessions() -> None:
    assert github() == gitlab()


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (".github/ISSUE_TEMPLATE/bug.md", ".gitlab/issue_templates/Bug.md"),
        (".github/ISSUE_TEMPLATE/idea.md", ".gitlab/issue_templates/Idea.md"),
        (".github/PULL_REQUEST_TEMPLATE.md", ".gitlab/merge_request_templates/Default.md"),
    ],
)
def test_templates_are_the_same_on_github_and_gitlab(here: str, there: str) -> None:
    text = (ROOT / here).read_text(encoding="utf-8")
    assert text.rpartition("---\n\n")[2] == (ROOT / there).read_text(encoding="utf-8")
