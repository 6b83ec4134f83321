# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both faces of every task with invalid input: one sentence, no secret, and the same on both."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction

from ..faces import TASKS, Options, as_lookup, as_module, in_process
from ..harness import SERVER, FunctionTransport, TransportExtension, installed, job, pipeline, reply

SECRET = "glpat-\"o'ne\\two&three/4567890"
VARIABLE = "hunter2-hunter2"
Answer = t.Callable[[t.Any], t.Any]

GATES = [{"project": "7", "pipeline_id": 6, "gates": [{"name": "deploy", "action": "play"}]}]
# the minimal options of each task
NEEDED: dict[str, Options] = {
    "gitlab_job_action": {"action": "play", "name": "deploy", "pipeline_id": 6},
    "gitlab_pipeline": {"action": "run", "ref": "main"},
    "gitlab_job_download": {"content": "list", "job_id": 42},
    "gitlab_release_gate": {"projects": GATES},
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    # some wrong values are paths
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GITLAB_", "CI_", "JOBGATE_")):
            monkeypatch.delenv(name)


def given_to(task_name: str, /, **options: t.Any) -> Options:
    """Return valid options of a task, plus the given ones."""
    arguments = TASKS[task_name].spec.arguments
    needed = NEEDED.get(task_name, {"pipeline_id": 6} if "pipeline_id" in arguments else {})
    project = {"project": "7"} if "project" in arguments else {}
    return {"api_url": SERVER, "api_token": SECRET, **project, **needed, **options}


def nothing(call: t.Any) -> t.Any:
    return reply({"message": "404 Not found"}, status=404)


def both(name: str, options: Options, answer: Answer = nothing) -> list[Options]:
    """Return the results of both faces."""
    task = TASKS[name]
    results = []
    for run in (in_process, as_module):
        with installed({"the-transport": TransportExtension(FunctionTransport(answer))}):
            results.append(run(task, options))
    return results


WRONG = {
    "string": "x",
    "list": ["x"],
    "mapping": {"a": "x"},
    "list of mappings": [{"a": ["x"]}],
    "number": -1,
    "float": 1.5,
    "boolean": True,
    "null": None,
    "deep": [[[{"a": [["x"]]}]]],
    "empty": "",
    "empty list": [],
}
EVERY = [(name, option) for name, task in TASKS.items() for option in task.spec.arguments if option != "extensions"]


@pytest.mark.parametrize(("name", "option"), EVERY, ids=[f"{name}-{option}" for name, option in EVERY])
def test_invalid_option_values_show_no_secret(name, option, monkeypatch):
    # as api_requests_per_minute, true allows one request a minute, and this test must not wait for the second
    monkeypatch.setattr(Clock, "sleep", lambda self, seconds: None)
    for wrong in WRONG.values():
        options = given_to(name, extensions=["the-transport"], **{option: wrong})
        if "api_token" not in options or option == "api_token":
            options["api_oauth_token"] = SECRET
        results = both(name, options)
        for result in results:
            assert "Unexpected" not in str(result.get("msg")), (wrong, result["msg"])
            assert "\n" not in result.get("msg", "")
            for form in (SECRET, repr(SECRET)[1:-1], json.dumps(SECRET)[1:-1], "three/4567890"):
                assert form not in str(result)
                assert form not in json.dumps(result)
        in_this, of_module = results
        assert in_this.get("failed", False) == of_module.get("failed", False), wrong
        if in_this.get("failed"):
            assert plain_words(in_this["msg"]) == plain_words(of_module["msg"]), wrong


def test_token_given_as_a_list_is_not_repeated_in_the_error(monkeypatch):
    monkeypatch.setattr(f"{InProcessAction.__module__}.REGISTER_SECRET", lambda secret: secret)
    options = {**given_to("gitlab_job_info"), "api_token": [SECRET]}
    result = in_process(TASKS["gitlab_job_info"], options)
    assert result["msg"] == "api_token is a list or mapping written as a string; use one value."


def test_lookup_splits_strings_with_commas_and_spaces():
    given = {"api_url": SERVER, "project": "7", "extensions": ["the-transport"], "fields": "id, status"}
    with installed({"the-transport": TransportExtension(FunctionTransport(lambda call: job(42, "success")))}):
        assert as_lookup({"terms": ["42"], **given}) == {"values": [{"id": 42, "status": "success"}]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"terms": [None], "project": "7"}, "specify the name or the id of a job, not an empty string"),
        ({"terms": ["0"], "project": "7", "default": "none"}, "the id of a job is 0; ids start at 1"),
        ({"terms": [" \n"], "project": "7"}, "specify the name or the id of a job, not an empty string"),
        (
            {"terms": ["build"], "project": None},
            "project is missing; set it to the numeric id or the full path, like group/project",
        ),
    ],
)
def test_lookup_refuses_null_and_zero_as_a_job(given, expected):
    assert expected in as_lookup({"api_url": SERVER, "pipeline_id": 6, **given})["msg"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"terms": ["build "]}, "the name of a job is 'build '; remove the spaces or line breaks around it"),
        ({"terms": [" 42"]}, "the name of a job is ' 42'; remove the spaces"),
        ({"terms": [], "job_name": "build\n"}, "the name of a job is 'build\\n'; remove the spaces"),
        ({"terms": ["build"], "cache_seconds": -1}, "cache_seconds is -1; use 0 or more"),
        ({"terms": ["build"], "cache_seconds": float("nan")}, "cache_seconds is nan; use 0 or more"),
        ({"terms": ["build"], "attribute": "********"}, "attribute is '********', in which asterisks replace"),
        ({"terms": ["build"], "artifact": "********"}, "artifact is '********', in which asterisks replace"),
        ({"terms": [], "job_name": "********"}, "job_name is '********', in which asterisks replace"),
    ],
)
def test_lookup_refuses_values_that_modules_refuse(given, expected):
    options = {"api_url": SERVER, "project": "7", "pipeline_id": 6, "default": "none", **given}
    assert expected in as_lookup(options)["msg"]


def test_datetime_variables_are_sent_as_by_a_module():
    bodies = []

    def answer(call: t.Any) -> t.Any:
        bodies.append(call.body)
        return played("deploy")(call)

    moment = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.timezone.utc)
    given = given_to("gitlab_job_action", job_variables={"AT": moment, "ON": moment.date()})
    with installed({"the-transport": TransportExtension(FunctionTransport(answer))}):
        in_process(TASKS["gitlab_job_action"], {**given, "extensions": ["the-transport"]})
    sent = {row["key"]: row["value"] for body in bodies if body for row in body["job_variables_attributes"]}
    # as in JSON, in which modules receive their options
    assert sent == {"AT": "2026-01-05T12:00:00+00:00", "ON": "2026-01-05"}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("gitlab_job_info", {"http_headers": {1: "a"}}),
        ("gitlab_job_info", {"http_headers": {1.5: "a", None: "b"}}),
        ("gitlab_pipeline", {"inputs": {1: [{2: "x"}]}}),
        ("gitlab_release_gate", {"projects": {1: "a"}}),
        ("gitlab_release_gate", {"projects": [{1: "a"}]}),
        ("gitlab_release_gate", {"projects": [{"project": "7", "gates": [{2: "a"}]}]}),
    ],
)
def test_numeric_keys_become_strings_as_for_a_module(name, given):
    in_worker, as_a_module = both(name, given_to(name, extensions=["the-transport"], **given))
    assert {**in_worker, "elapsed": 0} == {**as_a_module, "elapsed": 0}
    assert "Unexpected" not in in_worker["msg"]


@pytest.mark.parametrize("option", ["api_token", "api_oauth_token", "trigger_token"])
def test_blank_token_does_not_mask_spaces_in_its_error(option):
    given = {**given_to("gitlab_pipeline"), option: " "}
    if option == "api_oauth_token":
        del given["api_token"]
    for result in both("gitlab_pipeline", given):
        assert result["msg"] == f"{option} is empty; set a value or omit it."


def test_aliases_of_file_options_are_accepted():
    given = given_to("gitlab_job_download", attr="+i", mode="0600", force="perhaps")
    for result in both("gitlab_job_download", given):
        assert result["msg"] == "force is 'perhaps'; use true or false."


@pytest.mark.parametrize("names", [("api_token", "private_token"), ("private_token", "access_token")])
def test_option_and_alias_together_cause_a_warning(names):
    options = {**given_to("gitlab_job_token_info"), **dict.fromkeys(names, "glpat-1234567890")}
    if "api_token" not in names:
        del options["api_token"]
    in_worker, as_a_module = both("gitlab_job_token_info", options)
    assert in_worker["warnings"] == [f"Both option api_token and its alias {names[1]} are set."]
    # for a module, Ansible adds them to the result later
    assert in_worker["msg"] == as_a_module["msg"]


def plain_words(message: str) -> str:
    """Return a message without the words that Ansible adds around the module's name and the causes."""
    return message.replace("jobgate.gitlab.", "").partition(": ")[2][:60] if "Unsupported" in message else message[:60]


@pytest.mark.parametrize(
    "projects",
    [
        "x",
        ["x"],
        [{"project": "7", "gates": ["deploy"]}],
        [{"project": "7", "gates": "deploy"}],
        [{"project": "7", "gates": [{"name": "d", "action": "play", "job_variables": ["x"]}]}],
        [{"project": "7", "gates": [{"name": "d", "action": "play", "job_variables": VARIABLE}]}],
        [{"project": "7", "gates": [[["deploy"]]]}],
        [{"project": "7", "gates": [{"nmae": "deploy"}]}],
    ],
)
def test_invalid_gates_do_not_disable_masking(projects):
    for result in both("gitlab_release_gate", given_to("gitlab_release_gate", projects=projects)):
        assert result["failed"]
        assert SECRET not in str(result) and "three/4567890" not in str(result)
        assert VARIABLE not in str(result)
        assert result["invocation"]["module_args"]["api_token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize(
    "token", ["api_token", "private_token", "access_token", "api_oauth_token", "token", "api_tokn"]
)
@pytest.mark.parametrize("name", TASKS)
def test_token_under_any_name_is_hidden(name, token):
    options = given_to(name)
    del options["api_token"]
    for result in both(name, {**options, token: SECRET, "no_such_option": 1}):
        assert result["failed"]
        assert "three/4567890" not in str(result)


# ----- answers of a server -----


def played(name: str, **fields: t.Any) -> Answer:
    """Return the answers of a server with a playable job of this name."""

    def answer(call: t.Any) -> t.Any:
        record = job(status="pending" if call.method == "POST" else "manual", name=name, **fields)
        if call.path.endswith("/jobs"):
            return [record]
        return record if "/jobs/" in call.path else [] if "trigger_jobs" in call.path else pipeline()

    return answer


def test_lone_surrogate_in_a_job_name_is_replaced():
    options = given_to("gitlab_job_action", name=["*"], extensions=["the-transport"])
    results = both("gitlab_job_action", options, played("half \ud800 name"))
    for result in results:
        assert (result.get("failed", False), result["changed"]) == (False, True)
        assert result["job"]["name"] == "half \ufffd name"
        json.dumps(result, ensure_ascii=False).encode()


def test_refusal_in_check_mode_is_the_same_in_process_and_as_a_module():
    def answer(call: t.Any) -> t.Any:
        assert call.method == "GET"
        return [job(status="success", name="build"), job(43, "manual", "deploy")] if call.path.endswith("/jobs") else []

    wanted = {"name": ["*"], "multiple": "all", "action": "erase", "_ansible_check_mode": True}
    options = given_to("gitlab_job_action", extensions=["the-transport"], **wanted)
    in_this, of_module = both("gitlab_job_action", options, answer)
    assert in_this["failed"] and "cannot be erased" in in_this["msg"]
    assert in_this["msg"] == of_module["msg"]


NASTY_NAME = "de\x9b31mp\x85l\x1b[2Joy \u202egnp\u2066\x07"


def test_failure_returns_no_control_codes():
    options = given_to("gitlab_job_action", name=["*"], action="erase", extensions=["the-transport"])
    answer = played(NASTY_NAME, failure_reason=NASTY_NAME, ref=NASTY_NAME)
    for result in both("gitlab_job_action", options, answer):
        assert result["failed"]
        text = json.dumps({key: value for key, value in result.items() if key != "invocation"}, ensure_ascii=False)
        assert text.isprintable(), ascii(text)


@pytest.mark.parametrize("written", [dict, json.dumps], ids=["mapping", "string"])
def test_variables_that_a_server_repeats_are_masked(written):
    variables = {"PASSWORD": VARIABLE, "SHORT": "true", "BRANCH": "deploy"}

    def answer(call: t.Any) -> t.Any:
        if call.method == "POST":
            return reply({"message": f"{'x' * 290} {VARIABLE}"}, status=400)
        return played(
            "deploy", failure_reason=f"{VARIABLE} is wrong, true", ref=f"\x1b[1m{VARIABLE[:5]}\x1b[m{VARIABLE[5:]}"
        )(call)

    options = given_to("gitlab_job_action", job_variables=written(variables), extensions=["the-transport"])
    for result in both("gitlab_job_action", options, answer):
        assert result["failed"]
        assert VARIABLE not in str(result) and VARIABLE[:7] not in str(result)
        assert result["jobs"][0]["failure_reason"] == "******** is wrong, true"
        assert result["jobs"][0]["name"] == "deploy"


def test_variable_inside_another_secret_is_masked():
    def answer(call: t.Any) -> t.Any:
        return reply({"message": f"no {VARIABLE}"}, status=400) if call.method == "POST" else played("deploy")(call)

    given = {"http_headers": {"X-Pass": f"Pass:{VARIABLE}:1"}, "job_variables": {"PASSWORD": VARIABLE}}
    options = given_to("gitlab_job_action", extensions=["the-transport"], **given)
    for result in both("gitlab_job_action", options, answer):
        assert result["failed"] and VARIABLE not in str(result)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if "requests" in task.empty_result])
def test_failure_returns_the_number_of_requests(name):
    for result in both(name, given_to(name, extensions=["the-transport"])):
        assert result["failed"] and result["requests"]["count"] >= 1
