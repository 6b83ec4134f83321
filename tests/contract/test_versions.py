# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The version is the same everywhere, and the action group contains every module."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import USER_AGENT

from tests.contract.support import COLLECTION, PLUGINS, ROOT, TASKS, documentation, file_options

GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
RUNTIME = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
PLUGIN_NAMES = [
    (plugin_type, path.stem)
    for plugin_type, folder in (("module", "modules"), ("lookup", "lookup"))
    for path in sorted((PLUGINS / folder).glob("*.py"))
]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_user_agent_contains_the_version() -> None:
    assert USER_AGENT == f"{GALAXY['namespace']}.{GALAXY['name']}/{GALAXY['version']} (Ansible collection)"


def test_tooling_and_documentation_use_the_version() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    # the wheel's version is read from galaxy.yml; tests/packaging checks the wheel
    pattern = re.search(r'\[tool\.hatch\.version\]\npath = "galaxy\.yml"\npattern = "(.*)"', project)[1]
    galaxy = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
    assert re.search(pattern, galaxy, flags=re.MULTILINE)["version"] == GALAXY["version"]
    texts = [ROOT / "README.md", *(ROOT / "docs").rglob("*.rst"), *(ROOT / "docs" / "examples").rglob("*.yml")]
    named = {
        (path.name, version)
        for path in texts
        for version in re.findall(r"jobgate[-_]gitlab-(\d[\d.]*\d)", path.read_text(encoding="utf-8"))
    }
    assert {version for _name, version in named} == {GALAXY["version"]}, named


@pytest.mark.parametrize(("plugin_type", "name"), PLUGIN_NAMES)
def test_version_added_of_plugins_and_options_exists(plugin_type: str, name: str) -> None:
    doc = documentation(name, plugin_type).doc
    assert numbers(doc["version_added"]) <= numbers(GALAXY["version"])
    first = numbers(doc["version_added"])
    for option_name, option in doc["options"].items():
        # the options that Ansible adds have versions of Ansible
        if "version_added" in option and option_name not in file_options(name):
            assert first < numbers(option["version_added"]) <= numbers(GALAXY["version"])


def test_first_version_has_every_plugin() -> None:
    if GALAXY["version"] == "0.1.0":
        assert {documentation(name, kind).doc["version_added"] for kind, name in PLUGIN_NAMES} == {"0.1.0"}


def test_changelog_is_shown_when_there_is_a_release() -> None:
    releases = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    config = yaml.safe_load((ROOT / "docs" / "docsite" / "config.yml").read_text(encoding="utf-8"))
    assert config["changelog"]["write_changelog"] == bool(releases)


def test_action_group_has_every_module() -> None:
    assert RUNTIME["action_groups"] == {"gitlab": sorted(TASKS), "release_gate": ["gitlab_release_gate"]}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_module_documents_the_action_group(name: str) -> None:
    attributes = documentation(name).doc["attributes"]
    assert attributes["action_group"]["membership"] == [f"{COLLECTION}.gitlab"]
    assert {"check_mode", "diff_mode", "idempotent"} <= set(attributes)
    assert attributes["check_mode"]["support"] == "full"
