# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wheel contains the same collection as the tarball, where ansible-core finds it, and the simulator."""

from __future__ import annotations

import collections.abc as c
import email
import pathlib
import re
import subprocess
import sys
import time
import zipfile

import pytest
import yaml

from .support import GALAXY, PYTHON, ROOT, SCENARIO, TOKEN, WHEEL_COMMAND, environment, run, tool, write_playbook

PLACE = f"ansible_collections/{GALAXY['namespace']}/{GALAXY['name']}/"
SIMULATOR = "jobgate_gitlab_simulator"

USER_TEST = f"""\
import urllib.request


def test_it_answers(gitlab_simulator):
    gitlab_simulator.load({SCENARIO!r})
    url = gitlab_simulator.url + "/api/v4/projects/group%2Fapp/jobs?per_page=1"
    request = urllib.request.Request(url, headers={{"PRIVATE-TOKEN": "{TOKEN}"}})
    with urllib.request.urlopen(request) as answer:
        assert b"deploy:prod" in answer.read()
"""


@pytest.fixture(scope="module")
def site_packages(packages: pathlib.Path, wheel: pathlib.Path) -> pathlib.Path:
    """Return a folder that is like site-packages, without the dependencies."""
    folder = packages / "site-packages"
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    run(*command, cwd=packages, env=environment(packages / "home"))
    return folder


@pytest.fixture
def start_simulator(tmp_path: pathlib.Path) -> c.Iterator[c.Callable[..., str]]:
    """Yield a function that starts the simulator's program as users do, and returns its URL."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*command: str | pathlib.Path, env: dict[str, str]) -> str:
        scenario, address = tmp_path / "scenario.yml", tmp_path / "address"
        scenario.write_text(yaml.safe_dump(SCENARIO), encoding="utf-8")
        options = ["--scenario", scenario, "--address-file", address, "--quiet"]
        running.append(subprocess.Popen([str(part) for part in [*command, *options]], cwd=tmp_path, env=env))
        deadline = time.monotonic() + 300
        while not address.exists():
            assert running[-1].poll() is None and time.monotonic() < deadline, "the simulator does not start"
            time.sleep(0.02)
        return address.read_text(encoding="utf-8").split()[0]

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=60)


def test_wheel_contains_the_same_collection_as_the_tarball(wheel: pathlib.Path, tarball_names: set[str]) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.removeprefix(PLACE) for name in names if name.startswith(PLACE)} == tarball_names


def test_rest_of_the_wheel_is_the_simulator(wheel: pathlib.Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith(PLACE)}
    folder = ROOT / "tests" / "simulator"
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    sources = {path.as_posix() for path in files if "__pycache__" not in path.parts}
    information = {name for name in names if f"-{GALAXY['version']}.dist-info/" in name}
    assert names - information == {f"{SIMULATOR}/{name}" for name in sources}


def test_wheel_metadata_matches_galaxy_yml_and_the_requirements(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        name = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(opened.read(name))
    assert metadata["Version"] == GALAXY["version"]
    assert sorted(GALAXY["license"]) == sorted(metadata["License-Expression"].split(" AND "))
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = metadata.get_all("Requires-Dist") or []
    assert [one for one in required if "extra ==" not in one] == [one for one in lines if not one.startswith("#")]
    extras = {"simulator": {"aiohttp", "cryptography", "pyyaml"}, "eda": {"aiohttp", "ansible-rulebook"}}
    for extra, expected in extras.items():
        names = {re.split(r"[>=;]", one)[0].lower() for one in required if f"extra == '{extra}'" in one}
        assert names == expected, extra


def test_playbook_works_with_the_installed_wheel(
    start_simulator: c.Callable[..., str], site_packages: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    nothing = str(tmp_path / "nothing")
    env = environment(tmp_path / "home", PYTHONPATH=str(site_packages), ANSIBLE_COLLECTIONS_PATH=nothing)
    url = start_simulator(PYTHON, "-m", SIMULATOR, env=env)
    env |= {"GITLAB_API_URL": url, "GITLAB_TOKEN": TOKEN}
    command = [tool("ansible-playbook"), write_playbook(tmp_path)]
    first = run(*command, cwd=tmp_path, env=env)
    assert "changed=1" in first and "it is success" in first
    assert "changed=0" in run(*command, cwd=tmp_path, env=env)


def test_simulator_without_the_extra_reports_what_to_install(
    site_packages: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    program = f"import sys; sys.modules['aiohttp'] = None; from {SIMULATOR}.command import main; sys.exit(main())"
    env = environment(tmp_path / "home", PYTHONPATH=str(site_packages))
    output = run(PYTHON, "-c", program, cwd=tmp_path, env=env, expect=1)
    assert output == ("jobgate-gitlab-simulator: aiohttp is missing. Run: pip install 'jobgate-gitlab[simulator]'\n")


def test_fixture_without_the_extra_reports_what_to_install(site_packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "conftest.py").write_text("import sys\n\nsys.modules['aiohttp'] = None\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(USER_TEST + "\n\ndef test_another_one():\n    pass\n", encoding="utf-8")
    env = environment(tmp_path / "home", PYTHONPATH=str(site_packages))
    output = run(PYTHON, "-m", "pytest", "-q", tmp_path, cwd=tmp_path, env=env, expect=1)
    assert "1 passed, 1 error" in output
    assert "gitlab_simulator: aiohttp is missing. Run: pip install 'jobgate-gitlab[simulator]'" in output


def test_simulator_of_the_wheel_reads_a_ci_file(site_packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("build: {script: make, parallel: 2}\n", encoding="utf-8")
    env = environment(tmp_path / "home", PYTHONPATH=str(site_packages))
    command = [PYTHON, "-m", SIMULATOR, "--ci-file", ".gitlab-ci.yml", "--print-scenario"]
    assert "name: build 2/2" in run(*command, cwd=tmp_path, env=env)


def test_fixture_works_in_another_project(site_packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "test_it.py").write_text(USER_TEST, encoding="utf-8")
    env = environment(tmp_path / "home", PYTHONPATH=str(site_packages))
    assert "1 passed" in run(PYTHON, "-m", "pytest", "-q", tmp_path, cwd=tmp_path, env=env)


@pytest.mark.fresh
def test_one_pip_install_in_a_new_environment_is_enough(
    start_simulator: c.Callable[..., str], wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Do what a user does: create a virtual environment, `pip install` once, start the simulator, run a playbook."""
    env = environment(tmp_path / "home")
    # keep pip's settings in the home folder; the source of its packages is not under test
    env["HOME"] = str(pathlib.Path.home())
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path, env=env)
    folder = tmp_path / "venv" / "bin"
    install = [folder / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*install, f"{wheel}[simulator]", "ansible-core", "pytest", cwd=tmp_path, env=env, timeout_seconds=600)

    env = environment(tmp_path / "home", PATH=f"{folder}:/usr/bin:/bin")
    url = start_simulator(folder / "jobgate-gitlab-simulator", env=env)
    env |= {"GITLAB_API_URL": url, "GITLAB_TOKEN": TOKEN}
    command = [folder / "ansible-playbook", write_playbook(tmp_path)]
    first = run(*command, cwd=tmp_path, env=env)
    assert "changed=1" in first and "it is success" in first
    assert "changed=0" in run(*command, cwd=tmp_path, env=env)
    listed = run(folder / "ansible-galaxy", "collection", "list", cwd=tmp_path, env=env)
    assert re.search(rf"{GALAXY['namespace']}\.{GALAXY['name']} +{re.escape(GALAXY['version'])}", listed)

    (tmp_path / "test_it.py").write_text(USER_TEST, encoding="utf-8")
    assert "1 passed" in run(folder / "pytest", "-q", tmp_path / "test_it.py", cwd=tmp_path, env=env)


def test_wheel_is_reproducible(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run(*WHEEL_COMMAND, tmp_path, ROOT, cwd=tmp_path, env=environment(tmp_path / "home"))
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()
