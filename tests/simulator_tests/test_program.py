# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the program: its options, its admin path, its end, and faults on request."""

from __future__ import annotations

import asyncio
import collections.abc as c
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t

import pytest
import requests
import yaml

from tests.simulator.__main__ import main
from tests.simulator.fixture import Simulator

from .support import Client, scenario

ROOT = pathlib.Path(__file__).resolve().parents[2]
Start = c.Callable[..., tuple[str, "subprocess.Popen[str]"]]


@pytest.fixture
def start(tmp_path: pathlib.Path) -> c.Iterator[Start]:
    """Yield a function that runs the program with options and returns its URL and process."""
    running: list[subprocess.Popen[str]] = []

    def run(*options: str, world: dict[str, t.Any] | None = None) -> tuple[str, subprocess.Popen[str]]:
        path = tmp_path / "scenario.yml"
        path.write_text(yaml.safe_dump(world or {}))
        command = [sys.executable, "-m", "tests.simulator", "--scenario", str(path), *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip(), process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def test_program_starts_and_stops_on_sigterm(start: Start, tmp_path: pathlib.Path) -> None:
    address = tmp_path / "address"
    url, process = start("--address-file", str(address), "--clock", "stepped", "--version", "15.9", world=scenario())
    assert address.read_text() == f"{url} {process.pid}\n"
    assert url.startswith("http://127.0.0.1:")
    assert requests.get(f"{url}/_simulator/health").json() == {"status": "ok", "version": "15.9"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=1800) == 0


def test_scaled_clock_speeds_up_jobs(start: Start) -> None:
    url, _process = start("--clock", "scaled:100000", world=scenario({"name": "a", "duration": 1000}))
    # a thousand seconds pass in a hundredth of a second
    end = time.monotonic() + 60
    statuses = [""]
    while statuses[-1] != "success" and time.monotonic() < end:
        statuses.append(requests.get(f"{url}/_simulator/jobs").json()[0]["status"])
    assert statuses[-1] == "success"


@pytest.mark.parametrize(
    ("options", "world", "text"),
    [
        ((), {"user": []}, "simulator: scenario: unknown key 'user'; did you mean users"),
        (("--clock", "soon"), {}, "not one of real, stepped, scaled:FACTOR"),
        (("--version", "x"), {}, "is not MAJOR.MINOR"),
    ],
)
def test_invalid_arguments_exit_with_an_error(
    start: Start, options: tuple[str, ...], world: dict[str, t.Any], text: str
) -> None:
    _url, process = start(*options, world=world)
    _output, errors = process.communicate(timeout=1800)
    assert process.returncode == 2
    assert text in errors and "Traceback" not in errors


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--port", "-1"], "--port: '-1' is not a number from 0 to 65535"),
        (["--port", "70000"], "--port: '70000' is not a number from 0 to 65535"),
        (["--port", "²"], "is not a number from 0 to 65535"),
        (["--host", "a..b"], "a..b, port 0: invalid host name"),
        (["--host", "192.0.2.1"], "192.0.2.1, port 0: "),
        (["--host", ""], "--host: must not be empty"),
        (["--clock", "scaled:1e400"], "FACTOR is a number up to 1,000,000"),
        (["--clock", "scaled:fast"], "FACTOR is a number up to 1,000,000"),
        (["--clock", ""], "--clock: must not be empty"),
        (["--version", "18.²"], "is not MAJOR.MINOR"),
        (["--scenario", "no.yml"], "no.yml cannot be read: No such file or directory"),
        (["--scenario", "folder"], "folder cannot be read: Is a directory"),
        (["--scenario", "latin"], "latin is not a UTF-8 file"),
        (["--scenario", "broken"], "scenario: invalid YAML: while parsing a flow sequence"),
        (["--scenario", "number"], "scenario: invalid YAML: "),
        (["--scenario", "deep"], "scenario: invalid YAML: "),
        (["--scenario", "types"], "projects[0].path: must be a string, not 404"),
        (["--address-file", "folder"], "--address-file: folder cannot be written: Is a directory"),
        (["--address-file", "no/file"], "--address-file: no/file cannot be written: No such file or directory"),
        (["--ci-file", "folder"], "--ci-file: file not found: folder"),
        (["--ci-file", "ci", "--scenario", "empty"], "the first project of the scenario must be a mapping"),
        (["--ci-file", "ci", "--times", "latin"], "--times: latin is not a UTF-8 file"),
        (["--ci-file", "ci", "--times", "folder"], "--times: folder cannot be read: Is a directory"),
        (["--ci-file", "ci", "--times", "broken"], "--times: broken: invalid YAML"),
        (["--ci-file", "ci", "--times", "list"], "--times: list: must be a mapping, not list"),
        (["--ci-file", "ci", "--times", "text"], "build.duration: must be a number from 0, not 'long'"),
        (["--ci-file", "ci", "--times", "negative"], "times.build: must be seconds, or a mapping of job keys"),
        (["--ci-file", "ci", "--files", "latin"], "latin is not a UTF-8 file"),
        (["--ci-file", "ci", "--files", "folder"], "folder cannot be read: Is a directory"),
        (["--ci-file", "ci", "--ref", "refs/tags/"], "--ref: the name of the branch or tag is missing"),
        (["--ci-file", "ci", "--ref", "\udcff"], "--ref: '\\udcff' is not UTF-8"),
        (["--ci-file", "ci", "--variable", "=1"], "--variable: must be NAME=VALUE"),
        (["--hooks", "http://[::1"], "must be an http or https address"),
        (["--hooks", "http://host:99999/"], "must be an http or https address"),
        (["--hooks", "http://host/", "--hook-faults", "lost:²"], "'lost:²' is not a fault"),
        (["--hooks", "http://host/", "--hook-token", "a\nb"], "a header contains a line break"),
        (
            ["--hooks", "http://host/", "--version", "19.0", "--hook-signing-token", "é"],
            "must be whsec_ and 32 bytes in base64",
        ),
    ],
)
def test_invalid_option_values_are_reported_in_one_line(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    text: str,
) -> None:
    files = {
        "broken": b"a: [1",
        "ci": b"build: {script: [make]}",
        "deep": b"[" * 5000,
        "empty": b"",
        "latin": b"a: \xe9",
        "list": b"- 1",
        "negative": b"build: -5",
        "number": b"a: " + b"9" * 5000,
        "text": b"build: {duration: long}",
        "types": b"projects: [{path: 404}]",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()

    async def serves(_event: asyncio.Event) -> t.NoReturn:
        pytest.fail("it serves")

    monkeypatch.setattr(asyncio.Event, "wait", serves)
    monkeypatch.setattr(sys, "argv", ["simulator", *options])
    monkeypatch.chdir(tmp_path)
    try:
        status: t.Any = main(program="simulator")
    except SystemExit as end:
        status = end.code
    output, errors = capsys.readouterr()
    assert (status, output) == (2, "")
    assert text in errors.splitlines()[-1]
    assert [line for line in errors.splitlines() if not line.startswith(("usage:", " "))] == errors.splitlines()[-1:]
    assert {path.name for path in tmp_path.iterdir()} == {*files, "folder"}


def test_ci_file_with_invalid_yaml_values_creates_a_failed_pipeline(
    simulator: Simulator, tmp_path: pathlib.Path
) -> None:
    for content in ("a: \0", "a: " + "9" * 5000):
        (tmp_path / "ci.yml").write_text(content)
        simulator.load(scenario(ci_file=str(tmp_path / "ci.yml")))
        assert simulator.pipeline(100)["status"] == "failed"


def test_admin_routes_control_the_simulation(simulator: Simulator) -> None:
    admin = f"{simulator.url}/_simulator"
    text = yaml.safe_dump(scenario({"name": "a", "when": "manual"}, clock="stepped"))
    loaded = requests.post(f"{admin}/scenario?version=17.11", data=text)
    assert loaded.json() == {"status": "loaded", "version": "17.11"}
    assert requests.post(f"{admin}/scenario", json={"x": 1}).status_code == 400
    Client(simulator).post("jobs/1000/play")
    assert requests.post(f"{admin}/clock/advance", json={"seconds": 5}).json() == {"now": 5.0}
    assert requests.get(f"{admin}/clock").json()["clock"] == "stepped"
    (job,) = requests.get(f"{admin}/jobs").json()
    assert (job["name"], job["status"], job["user"]) == ("a", "success", "mia")
    assert [row["endpoint"] for row in requests.get(f"{admin}/requests").json()] == ["play_job"]
    assert requests.post(f"{admin}/jobs/1000/retry").json()["id"] == 1001
    assert requests.post(f"{admin}/jobs/1000/retry").status_code == 403
    assert requests.post(f"{admin}/jobs/1000/dance").status_code == 400
    effects = requests.get(f"{admin}/effects").json()
    assert [(row["action"], row["user"]) for row in effects] == [("play", "mia"), ("retry", "somebody-else")]
    assert requests.post(f"{admin}/jobs/a", json={"status": "failed"}).json()["status"] == "failed"
    assert requests.post(f"{admin}/jobs/1000", json={"statu": "failed"}).status_code == 400
    assert requests.post(f"{admin}/jobs/99", json={"status": "failed"}).status_code == 404
    assert requests.delete(f"{admin}/logs").status_code == 204
    assert requests.get(f"{admin}/effects").json() == requests.get(f"{admin}/requests").json() == []
    assert requests.get(f"{admin}/nothing").status_code == 404


class TestFaults:
    @pytest.fixture
    def client(self, simulator: Simulator) -> Client:
        simulator.load(scenario({"name": "a", "when": "manual"}))
        return Client(simulator)

    def test_nth_request_gets_the_status(self, simulator: Simulator, client: Client) -> None:
        simulator.inject(endpoint="get_job", nth=2, status=503, headers={"Retry-After": "3"}, body={"message": "x"})
        answers = [client.get("jobs/1000") for _round in range(3)]
        assert [answer.status_code for answer in answers] == [200, 503, 200]
        assert (answers[1].headers["Retry-After"], answers[1].json()) == ("3", {"message": "x"})
        assert [row["fault"] for row in simulator.requests()] == [None, "status", None]

    def test_html_replaces_one_response(self, simulator: Simulator, client: Client) -> None:
        simulator.inject(kind="html", method="GET", times=1)
        answer = client.get("jobs/1000")
        assert (answer.status_code, "<html>" in answer.text) == (502, True)
        assert client.get("jobs/1000").status_code == 200

    @pytest.mark.parametrize(("after", "status"), [(False, "manual"), (True, "pending")])
    def test_html_strikes_before_or_after_the_effect(
        self, simulator: Simulator, client: Client, after: bool, status: str
    ) -> None:
        simulator.inject(kind="html", after=after)
        assert client.post("jobs/1000/play").status_code == 502
        assert simulator.job("a")["status"] == status

    @pytest.mark.parametrize(("kind", "status"), [("reset_before", "manual"), ("reset_after", "pending")])
    def test_resets_strike_before_or_after_the_effect(
        self, simulator: Simulator, client: Client, kind: str, status: str
    ) -> None:
        simulator.inject(kind=kind, path="/play$")
        with pytest.raises(requests.ConnectionError):
            client.post("jobs/1000/play")
        assert simulator.job("a")["status"] == status
        assert len(simulator.effects()) == (status == "pending")

    def test_truncated_response_is_an_error(self, simulator: Simulator, client: Client) -> None:
        simulator.inject(kind="truncate", bytes=5)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            client.get("jobs/1000")

    def test_redirect_has_the_given_location(self, simulator: Simulator, client: Client) -> None:
        simulator.inject(kind="redirect", location="https://elsewhere.example.com/")
        answer = client.get("jobs/1000")
        assert (answer.status_code, answer.headers["Location"]) == (302, "https://elsewhere.example.com/")

    def test_delay_postpones_the_response(self, simulator: Simulator, client: Client) -> None:
        simulator.inject(kind="delay", seconds=0.2)
        begin = time.monotonic()
        assert client.get("jobs/1000").status_code == 200
        assert time.monotonic() - begin >= 0.2

    def test_rules_are_added_and_deleted_over_http(self, simulator: Simulator, client: Client) -> None:
        admin = f"{simulator.url}/_simulator/faults"
        assert requests.post(admin, json={"kind": "status", "status": 500}).status_code == 201
        assert client.get("jobs").status_code == 500
        assert requests.delete(admin).status_code == 204
        assert client.get("jobs").status_code == 200
        assert requests.post(admin, json={"kind": "explode"}).status_code == 400
        assert requests.post(admin, json={"knd": "status"}).status_code == 400


def test_admin_routes_create_and_show_pipelines(simulator: Simulator) -> None:
    admin = f"{simulator.url}/_simulator"
    world = scenario({"name": "a"}, new_pipelines={"*": {"jobs": [{"name": "b"}]}})
    assert requests.post(f"{admin}/scenario", json=world).ok
    sha = requests.post(f"{admin}/refs", json={"name": "main"}).json()["sha"]
    made = requests.post(f"{admin}/pipelines", json={"ref": "main", "user": "dev", "variables": {"A": "1"}})
    assert (made.status_code, made.json()) == (201, {"id": 101})
    found = requests.get(f"{admin}/pipelines/101").json()
    assert (found["sha"], found["user"], found["jobs"]) == (sha, "dev", ["b"])
    assert requests.get(f"{admin}/effects").json()[0]["action"] == "create_pipeline"
    refused = requests.post(f"{admin}/pipelines", json={"ref": "nothing"})
    assert (refused.status_code, refused.json()) == (400, {"message": {"base": ["Reference not found"]}})
    assert requests.get(f"{admin}/pipelines/999").status_code == 404


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_shell_example_of_the_readme_works(tmp_path: pathlib.Path) -> None:
    text = (ROOT / "tests" / "simulator" / "README.md").read_text(encoding="utf-8")
    script = text.split("```sh\n")[1].split("```")[0]
    command = f"PYTHONPATH={ROOT} {sys.executable} -m tests.simulator"
    script = script.replace("jobgate-gitlab-simulator", command).replace("curl -sf", "curl -sf --noproxy '*'")
    command_line = ["sh", "-eu", "-c", script]
    done = subprocess.run(command_line, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    assert '"action": "play"' in done.stdout
