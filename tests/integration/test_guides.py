# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the guides work as described, as real processes against the simulator."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from tests.examples.blocks import GUIDES as FOLDER
from tests.examples.blocks import ROOT, Block, blocks_of, guide_blocks, is_playbook
from tests.examples.guides import GUIDES, Guide
from tests.examples.run_guides import run_guide
from tests.examples.server import Server

# Playbooks that are run by other tests, and the files of those tests.
RUN_ELSEWHERE = {
    ("docs/docsite/rst/in_process.rst", "Deploy, and show only the results"): "test_readme.py",
    ("README.md", "Release version 1.2.0"): "test_readme.py",
    ("docs/examples/awx/setup.yml", "Set up AWX for releases with an approval"): "test_ecosystem.py",
    ("docs/examples/awx/release.yml", "Release an application"): "test_ecosystem.py",
    ("README.md", "Read from one project on a self-managed server"): "test_readme.py",
    ("roles/release_gate/README.md", "Release version 1.2.0"): "test_release_gate.py",
    ("docs/examples/release.yml", "Release"): "test_playbooks.py",
    ("docs/examples/trigger-and-poll.yml", "Run the integration tests with uri"): "test_pipelines.py",
    ("docs/examples/release-gate.yml", "Release three projects"): "test_release_gate.py",
    # rulebooks
    ("docs/examples/rulebooks/deploy_when_green.yml", "Deploy what is green"): "../eda/test_demo.py",
    ("docs/docsite/rst/events.rst", "See what happens"): "../eda/test_rulebooks.py",
    ("docs/docsite/rst/events.rst", "Play the deployment when the pipeline is green"): "../eda/test_rulebooks.py",
}
# Blocks of YAML in the guides that are neither playbooks nor scenarios, by their first key.
OTHER_YAML = {
    "manual_jobs": ["deploy:prod"],
    "hand_over": ["build"],
    "editors_and_tools": ["release_gate_projects", "ansible-navigator"],
    "awx_and_ci": ["version", "fields", "env", "release", "release"],
    "events": ["gitlab", "gitlab_hook_port", "all", "sources", "signing_token"],
    "testing_playbooks": ["stages", "build"],
}


def label(guide: Guide) -> str:
    return f"{guide.name}-{guide.title}"


@pytest.mark.parametrize("guide", GUIDES, ids=label)
def test_guide_playbook_works_as_described(simulator: t.Any, guide: Guide, tmp_path: pathlib.Path) -> None:
    run_guide(guide, Server(simulator.url), tmp_path)


def documented_playbooks() -> t.Iterator[tuple[str, str]]:
    """Yield the file and the name of the first play of every playbook in the documentation."""
    texts = [*sorted(FOLDER.glob("*.rst")), *sorted(ROOT.glob("*.md")), *sorted((ROOT / "roles").glob("*/README.md"))]
    for path in texts:
        for block in blocks_of(path):
            if block.language == "yaml" and block.is_playbook:
                yield block.file, block.title
    for path in sorted((ROOT / "docs" / "examples").rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if is_playbook(content):
            yield str(path.relative_to(ROOT)), content[0]["name"]


def test_every_documented_playbook_is_run() -> None:
    here = {(f"docs/docsite/rst/{guide.name}.rst", guide.title) for guide in GUIDES}
    shown = set(documented_playbooks())
    assert sorted(shown - here - set(RUN_ELSEWHERE)) == []
    assert sorted(here - shown) == []
    for (_file, _title), test in RUN_ELSEWHERE.items():
        if (_file, _title) in shown:
            assert (pathlib.Path(__file__).parent / test).is_file()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.rst")), ids=lambda path: path.stem)
def test_code_blocks_of_a_guide_are_valid(path: pathlib.Path) -> None:
    assert path.read_text(encoding="utf-8").count(".. code-block::") == len(blocks_of(path))
    others = []
    for block in blocks_of(path):
        assert block.language in ("console", "ini", "python", "text", "toml", "yaml"), block.language
        if block.language == "python":
            compile(block.text, str(path), "exec")
        if block.language == "yaml" and not block.is_playbook and not block.is_scenario:
            assert isinstance(block.content, dict)
            others.append(next(iter(block.content)))
    assert others == OTHER_YAML.get(path.stem, [])


def test_every_guide_is_listed() -> None:
    listed = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    names = [name for section in listed["sections"] for name in section["toctree"]]
    assert sorted(names) == sorted(path.stem for path in FOLDER.glob("*.rst"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in names if f"(docs/docsite/rst/{name}.rst)" not in readme] == []


BUILDER = pathlib.Path(sys.executable).with_name("ansible-builder")


@pytest.mark.skipif(not BUILDER.exists(), reason="ansible-builder is not in this environment")
def test_execution_environment_of_the_guide_is_valid(tmp_path: pathlib.Path) -> None:
    described = next(block for block in guide_blocks("awx_and_ci") if block.text.startswith("version: 3"))
    (tmp_path / "execution-environment.yml").write_text(described.text, encoding="utf-8")
    tarball = described.content["additional_build_files"][0]["src"]
    (tmp_path / tarball).touch()
    command = [str(BUILDER), "create", "--output-filename", "Containerfile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "context" / "_build" / tarball).is_file()
    assert f"COPY _build/{tarball} /build/" in (tmp_path / "context" / "Containerfile").read_text(encoding="utf-8")


def is_other(block: Block) -> bool:
    return block.language == "yaml" and not block.is_playbook and not block.is_scenario


def python_blocks() -> list[Block]:
    return [block for block in guide_blocks("testing_playbooks") if block.language == "python"]


def test_tests_in_the_testing_guide_pass(tmp_path: pathlib.Path) -> None:
    tests = "\n\n".join(block.text for block in python_blocks())
    # what the entry point does if the package is installed, see test_wheel.py
    (tmp_path / "conftest.py").write_text(
        f"import sys\n\nsys.path.insert(0, {str(ROOT)!r})\nimport conftest as _  # noqa: F401\n"
        + 'pytest_plugins = ["tests.simulator.plugin"]\n',
        encoding="utf-8",
    )
    (tmp_path / "test_deploy.py").write_text(tests, encoding="utf-8")
    ci_file, times = (block.text for block in guide_blocks("testing_playbooks") if is_other(block))
    (tmp_path / ".gitlab-ci.yml").write_text(ci_file, encoding="utf-8")
    assert yaml.safe_load(times)["build"] == 120
    playbooks = [block.text for block in guide_blocks("testing_playbooks") if block.is_playbook]
    (tmp_path / "deploy.yml").write_text("---\n" + playbooks[0], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    count = tests.count("\ndef test_")
    assert done.returncode == 0 and f"{count} passed" in done.stdout, done.stdout + done.stderr
