# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The extensions of the guide work as it says: installed as a package and named in `extensions`."""

from __future__ import annotations

import datetime
import json
import pathlib
import shlex
import sys
import typing as t
from urllib.parse import urlsplit

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import ExtensionError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import session_of

from tests.contract.fake_gitlab import FakeGitLab, SleepOnlyClock, play, run
from tests.contract.support import EXTENSION_EXAMPLES, Install

FUTURE, PAST = "2999-12-31", "2000-01-01"


@pytest.mark.parametrize("check_mode", [False, True])
def test_change_freeze_refuses_actions(
    check_mode: bool, gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example("change_freeze")
    monkeypatch.setenv("JOBGATE_FREEZE_UNTIL", FUTURE)
    outcome = play("change_freeze", check_mode=check_mode)
    assert gitlab.writes == []
    assert not outcome.changed
    assert outcome.values["results"][0]["outcome"] == "refused"
    assert "change freeze until" in (outcome.failure or "")
    assert FUTURE in (outcome.failure or "")


@pytest.mark.parametrize(
    ("until", "options", "expected"),
    [
        ("", {}, "applied"),
        (PAST, {}, "applied"),
        (datetime.date.today().isoformat(), {}, "applied"),
        (FUTURE, {"job_id": 43}, "unchanged"),
    ],
    ids=["not set", "in the past", "ends today", "already running"],
)
def test_change_freeze_allows_actions(
    until: str,
    options: dict[str, t.Any],
    expected: str,
    gitlab: FakeGitLab,
    install_example: t.Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install_example("change_freeze")
    monkeypatch.setenv("JOBGATE_FREEZE_UNTIL", until)
    outcome = play("change_freeze", **options)
    assert outcome.failure is None
    assert outcome.values["results"][0]["outcome"] == expected
    assert len(gitlab.writes) == (expected == "applied")


def test_change_freeze_with_an_invalid_date_starts_nothing(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example("change_freeze")
    monkeypatch.setenv("JOBGATE_FREEZE_UNTIL", "next Monday")
    with pytest.raises(ExtensionError, match="change_freeze.*gitlab_decide_job_action.*next Monday"):
        play("change_freeze")
    assert gitlab.writes == []


def test_audit_log_has_one_line_per_request(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    install_example("audit_log")
    path = tmp_path / "audit.jsonl"
    monkeypatch.setenv("JOBGATE_AUDIT_LOG", str(path))
    monkeypatch.setenv("LOGNAME", "release-manager")
    assert play("audit_log", job_variables={"NOTE": "not-for-the-log"}).failure is None
    text = path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["method"], line["endpoint"]) for line in lines] == [
        (request.method, request.endpoint) for request in gitlab.requests
    ]
    assert {"at", "who", "endpoint", "method", "url", "status", "seconds"} == set(lines[-1])
    assert (lines[-1]["status"], lines[-1]["who"]) == (200, "release-manager")
    assert "POST" in [line["method"] for line in lines]
    assert "the-token" not in text
    assert "not-for-the-log" not in text


def test_gateway_pass_is_sent_to_the_gateway_only(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example("gateway")
    monkeypatch.setenv("JOBGATE_GATEWAY_PASS", "let-me-in")
    assert play("gateway").failure is None
    assert {request.headers.get("X-Gateway-Pass") for request in gitlab.requests} == {"let-me-in"}
    transports = []

    def keep(_settings: ConnectionSettings, make: t.Callable[[], t.Any]) -> t.Any:
        transports.append(make())
        return transports[-1]

    options = {"extensions": ["gateway"], "api_url": "https://gitlab.example.com"}
    session_of(options, TaskContext(environ={}, transport=keep))
    elsewhere = Request("GET", "https://gitlab.example.com.evil.example/api/v4/projects/1/jobs/42")
    transports[0].send(elsewhere, timeout_seconds=1)
    assert "X-Gateway-Pass" not in gitlab.requests[-1].headers


def test_gateway_without_a_pass_sends_no_header(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example("gateway")
    monkeypatch.delenv("JOBGATE_GATEWAY_PASS", raising=False)
    assert play("gateway").failure is None
    assert not any("X-Gateway-Pass" in request.headers for request in gitlab.requests)


def test_cost_centre_annotates_jobs_and_pipelines(gitlab: FakeGitLab, install_example: t.Any) -> None:
    install_example("cost_centre")
    values = run("gitlab_job_info", "cost_centre").values
    assert values["job"]["annotations"] == {"cost_centre": "4711"}
    assert values["pipeline"]["annotations"] == {"cost_centre": "4711"}
    gitlab.jobs[42]["pipeline"]["project_id"] = 99
    assert "annotations" not in run("gitlab_job_info", "cost_centre").values["job"]


def test_fields_option_can_select_annotations(gitlab: FakeGitLab, install_example: t.Any) -> None:
    install_example("cost_centre")
    kept = run("gitlab_job_info", "cost_centre", fields=["name", "annotations"]).values["job"]
    assert kept == {"name": "deploy:prod", "annotations": {"cost_centre": "4711"}}


def test_annotations_of_the_first_extension_take_precedence(
    gitlab: FakeGitLab, install: Install, install_example: t.Any
) -> None:
    install_example("cost_centre")
    install(
        other_notes="import pluggy\n\n\n@pluggy.HookimplMarker('jobgate.gitlab')\ndef gitlab_annotate_record(kind):\n"
        "    return {'cost_centre': 'other', 'kind': kind}\n"
    )
    for order, expected in ((["cost_centre", "other_notes"], "4711"), (["other_notes", "cost_centre"], "other")):
        notes = run("gitlab_job_info", *order).values["job"]["annotations"]
        assert notes == {"cost_centre": expected, "kind": "job"}


def test_token_command_provides_a_missing_token(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example("token_command")
    monkeypatch.setenv("JOBGATE_TOKEN_COMMAND", shlex.join([sys.executable, "-c", "print('from-the-command')"]))
    assert play("token_command", api_token=None).failure is None
    assert gitlab.settings and gitlab.settings.credential == {"PRIVATE-TOKEN": "from-the-command"}
    # a token that is set is not replaced
    assert play("token_command").failure is None
    assert gitlab.settings.credential == {"PRIVATE-TOKEN": "the-token"}


def test_failing_token_command_sends_no_request(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example("token_command")
    monkeypatch.setenv("JOBGATE_TOKEN_COMMAND", shlex.join([sys.executable, "-c", "raise SystemExit(3)"]))
    with pytest.raises(ExtensionError, match="token_command.*gitlab_authenticate.*exit status 3"):
        play("token_command", api_token=None)
    assert gitlab.requests == []


def test_registered_endpoint_can_be_called_by_name(gitlab: FakeGitLab, install_example: t.Any) -> None:
    install_example("report_endpoint")
    session = session_of(
        {"extensions": ["report_endpoint"], "api_url": "https://gitlab.example.com"}, TaskContext(environ={})
    )
    assert session.client.call("get_test_report_summary", project=1, pipeline_id=6) == {"total": {"count": 3}}


def test_replaced_endpoint_is_used(gitlab: FakeGitLab, install_example: t.Any) -> None:
    install_example("release_service")
    outcome = play("release_service", job_variables={"LEVEL": "high"})
    assert outcome.changed
    (write,) = gitlab.writes
    assert urlsplit(write.url).path == "/api/v4/release-service/projects/1/jobs/42/play"
    assert json.loads(write.body or b"") == {"job_variables_attributes": [{"key": "LEVEL", "value": "high"}]}


def test_hold_file_delays_jobs_while_it_exists(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    install_example("hold_file")
    hold = tmp_path / "hold"
    hold.touch()
    monkeypatch.setenv("JOBGATE_HOLD_FILE", str(hold))
    # without wait: refused, with the reason
    for check_mode in (False, True):
        outcome = play("hold_file", check_mode=check_mode)
        assert outcome.values["results"][0]["outcome"] == "refused"
        assert f"releases are on hold: {hold} exists" in (outcome.failure or "")
    # check mode with wait: the action is predicted without waiting
    predicted = play("hold_file", wait=True, check_mode=True)
    assert (predicted.changed, predicted.failure) == (True, None)
    assert gitlab.writes == []

    def lift(seconds: float) -> None:
        if seconds > 10 and hold.exists():
            assert gitlab.writes == []
            hold.unlink()

    outcome = play("hold_file", wait=True, clock=SleepOnlyClock(lift))
    assert (outcome.changed, outcome.failure) == (True, None)
    assert outcome.values["job"]["status"] == "success"
    assert [request.endpoint for request in gitlab.writes] == ["play_job"]
    assert outcome.values["elapsed"] > 10
    # successful jobs are left alone, on hold or not
    hold.touch()
    assert play("hold_file").values["results"][0]["outcome"] == "unchanged"


def test_job_that_stays_on_hold_times_out(
    gitlab: FakeGitLab, install_example: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    install_example("hold_file")
    monkeypatch.setenv("JOBGATE_HOLD_FILE", str(tmp_path))
    outcome = play("hold_file", wait=True, wait_timeout=30)
    assert (outcome.changed, outcome.values["timed_out"]) == (False, True)
    assert "30 s" in (outcome.failure or "")
    assert gitlab.writes == []


def test_body_of_a_write_is_hidden_from_extensions(gitlab: FakeGitLab, install: Install) -> None:
    install(
        curious="import pluggy\n\nseen = []\n\n\n@pluggy.HookimplMarker('jobgate.gitlab')\n"
        "def gitlab_request_finished(request):\n    seen.append((request.method, request.body))\n"
    )
    assert play("curious", job_variables={"NOTE": "for-gitlab-only"}).changed
    assert b"for-gitlab-only" in (gitlab.writes[0].body or b"")
    assert set(sys.modules["curious"].seen) == {("GET", None), ("POST", None)}


def test_every_extension_example_is_tested() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in pathlib.Path(__file__).parent.glob("test_ext*.py"))
    assert [
        path.stem for path in EXTENSION_EXAMPLES.glob("*.py") if f'install_example("{path.stem}")' not in source
    ] == []
