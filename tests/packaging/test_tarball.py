# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tarball contains what users need and nothing else, and the installed collection works."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tarfile
import typing as t

import yaml

from .support import GALAXY, ROOT, SCENARIO, effects, environment, run, tool, write_playbook

# folders whose files are all for users
FOLDERS = ("LICENSES", "docs", "meta", "playbooks", "plugins", "roles", "extensions/eda")
FILES = {
    # Galaxy lints uploaded collections
    ".ansible-lint",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "COPYING",
    "FILES.json",
    "MAINTAINERS.md",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "SECURITY.md",
    "changelogs/changelog.yaml",
    "changelogs/config.yaml",
    "requirements.txt",
}


def known_to_git() -> set[str]:
    """Return the files of the project: all files under version control, and new files that are not ignored."""
    command = ["git", "ls-files", "-z", "-co", "--exclude-standard", "--deduplicate"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in output.split("\0") if name and (ROOT / name).is_file()}


def test_tarball_contains_exactly_the_files_for_users(tarball_names: set[str]) -> None:
    expected = {name for name in known_to_git() if name.startswith(tuple(f"{folder}/" for folder in FOLDERS))}
    expected = {name for name in expected if not name.endswith("/.keep")}
    assert tarball_names == expected | FILES


def test_manifest_matches_galaxy_yml(tarball: pathlib.Path) -> None:
    with tarfile.open(tarball) as opened:
        info = json.load(t.cast("t.IO[bytes]", opened.extractfile("MANIFEST.json")))["collection_info"]
    for key in ("namespace", "name", "version", "description", "authors", "license", "tags", "repository"):
        assert info[key] == GALAXY[key]
    assert info["dependencies"] == {}


def test_links_in_the_readme_exist_in_the_tarball(tarball_names: set[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    paths = {link.partition("#")[0].removeprefix("./").rstrip("/") for link in links if "://" not in link} - {""}
    folders = {parent.as_posix() for name in tarball_names for parent in pathlib.PurePath(name).parents}
    assert not paths - tarball_names - folders


def test_tarball_contains_no_local_paths(tarball: pathlib.Path) -> None:
    with tarfile.open(tarball) as opened:
        for member in opened.getmembers():
            if member.isfile():
                content = t.cast("t.IO[bytes]", opened.extractfile(member)).read()
                assert str(ROOT).encode() not in content, member.name


def test_playbook_fails_without_the_collection(tmp_path: pathlib.Path) -> None:
    """The playbook of the next test fails without the collection, so no other copy is found."""
    env = environment(tmp_path / "home", ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "empty"))
    output = run(tool("ansible-playbook"), write_playbook(tmp_path), cwd=tmp_path, env=env, expect=4)
    assert "jobgate.gitlab.gitlab_job_action" in output


def test_playbook_works_with_the_installed_tarball(
    simulator: t.Any, installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    simulator.load(SCENARIO)
    env = environment(tmp_path / "home", url=simulator.url, ANSIBLE_COLLECTIONS_PATH=str(installed))
    command = [tool("ansible-playbook"), write_playbook(tmp_path)]
    first = run(*command, cwd=tmp_path, env=env)
    assert "changed=1" in first and "it is success" in first
    assert "changed=0" in run(*command, cwd=tmp_path, env=env)
    assert effects(simulator) == [("play", "deploy:prod")]


def test_documentation_of_the_installed_collection_is_found(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    env = environment(tmp_path / "home", ANSIBLE_COLLECTIONS_PATH=str(installed))
    full_name = f"{GALAXY['namespace']}.{GALAXY['name']}"
    listed = run(tool("ansible-galaxy"), "collection", "list", full_name, cwd=tmp_path, env=env)
    assert re.search(rf"{re.escape(full_name)} +{re.escape(GALAXY['version'])}", listed)
    for kind, folder in (("module", "modules"), ("lookup", "lookup")):
        names = [f"{full_name}.{path.stem}" for path in sorted((ROOT / "plugins" / folder).glob("gitlab_*.py"))]
        output = run(tool("ansible-doc"), "-t", kind, "--json", *names, cwd=tmp_path, env=env)
        assert sorted(json.loads(output)) == names
    roles = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
    output = run(tool("ansible-doc"), "-t", "role", "--list", "--json", full_name, cwd=tmp_path, env=env)
    assert sorted(json.loads(output)) == [f"{full_name}.{name}" for name in roles]


def test_execution_environment_requirements_are_installed(installed: pathlib.Path) -> None:
    place = installed / "ansible_collections" / GALAXY["namespace"] / GALAXY["name"]
    described = yaml.safe_load((place / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    assert described["version"] == 3
    assert (place / described["dependencies"]["python"]).is_file()
