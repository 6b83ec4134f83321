# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test creating, retrying, cancelling, deleting and naming pipelines, with every refusal and the number of effects."""

from __future__ import annotations

import json
import typing as t

import pytest
import requests

from tests.simulator.errors import ApiError
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

DENIED = (403, {"message": "403 Forbidden"})
NO_PROJECT = (404, {"message": "404 Project Not Found"})
JOBS = [
    {"name": "build", "stage": "build", "duration": 10},
    {"name": "test", "stage": "test", "duration": 10},
    {"name": "deploy", "stage": "deploy", "when": "manual"},
]
TOKENS = [
    {"token": "glptt-good", "kind": "trigger", "user": "dev", "project": "group/app"},
    {"token": "glptt-old", "kind": "trigger", "user": "dev", "project": "group/app", "state": "expired"},
    {"token": "glcbt-job", "kind": "job", "job": "running"},
    {"token": "glcbt-done", "kind": "job", "job": "done"},
]


def world(*jobs: dict[str, t.Any], templates: dict[str, t.Any] | None = None, **more: t.Any) -> dict[str, t.Any]:
    more.setdefault("branches", {"feature/a": None, "both": None, "empty": ""})
    more.setdefault("tags", {"v1": None, "both": None})
    made = scenario(*jobs, new_pipelines={"*": {"jobs": JOBS}, **(templates or {})}, **more)
    made["tokens"] += TOKENS
    return made


@pytest.fixture
def client(simulator: Simulator) -> Client:
    simulator.load(world({"name": "a", "status": "success"}))
    return Client(simulator)


def outcome(response: requests.Response) -> tuple[int, t.Any]:
    return response.status_code, response.json()


def base(text: str) -> tuple[int, t.Any]:
    return 400, {"message": {"base": [text]}}


def actions(simulator: Simulator) -> list[tuple[str, int]]:
    return [(effect["action"], effect["pipeline_id"]) for effect in simulator.effects()]


class TestCreate:
    def test_pipeline_is_created_and_runs(self, simulator: Simulator, client: Client) -> None:
        response = client.post("pipeline", json={"ref": "main"})
        record = response.json()
        assert response.status_code == 201
        assert (record["id"], record["ref"], record["source"], record["status"]) == (101, "main", "api", "created")
        assert record["sha"] == client.get("pipelines/100").json()["sha"] and record["user"]["username"] == "mia"
        assert not {"name", "variables"} & record.keys()
        assert [row["name"] for row in client.get("pipelines/101/jobs").json()] == ["deploy", "test", "build"]
        simulator.advance(60)
        assert client.get("pipelines/101").json()["status"] == "success"
        assert client.get("pipelines/latest").json()["id"] == 101
        assert actions(simulator) == [("create_pipeline", 101)]

    @pytest.mark.parametrize(
        ("ref", "stored", "tag"),
        [
            ("feature/a", "feature/a", False),
            ("refs/heads/both", "both", False),
            ("refs/tags/both", "both", True),
            ("v1", "v1", True),
        ],
    )
    def test_each_form_of_a_ref_is_accepted(self, client: Client, ref: str, stored: str, tag: bool) -> None:
        record = client.post("pipeline", json={"ref": ref}).json()
        assert (record["ref"], record["tag"]) == (stored, tag)

    @pytest.mark.parametrize("kind", ["json", "data"])
    def test_variables_are_stored_from_json_and_forms(self, simulator: Simulator, client: Client, kind: str) -> None:
        rows = [{"key": "A", "value": "1"}, {"key": "F", "value": "text", "variable_type": "file"}]
        form = [("ref", "main")]
        form += [(f"variables[][{key}]", value) for row in rows for key, value in row.items()]
        sent: t.Any = {"ref": "main", "variables": rows} if kind == "json" else form
        assert client.post("pipeline", **{kind: sent}).status_code == 201
        assert client.get("pipelines/101/variables").json() == [
            {"variable_type": "env_var", "key": "A", "value": "1", "raw": False},
            {"variable_type": "file", "key": "F", "value": "text", "raw": False},
        ]
        assert [row["key"] for row in simulator.effects()[0]["variables"]] == ["A", "F"]

    def test_template_is_selected_by_ref(self, simulator: Simulator) -> None:
        templates = {"main": {"jobs": [{"name": "only"}]}, "feature/*": {"jobs": [{"name": "one"}, {"name": "two"}]}}
        made = world({"name": "a"})
        made["projects"][0]["new_pipelines"] = {**templates, "*": {"jobs": JOBS}}
        simulator.load(made)
        client = Client(simulator)
        numbers = [client.post("pipeline", json={"ref": ref}).json()["id"] for ref in ("main", "feature/a", "v1")]
        assert [len(simulator.pipeline(number)["jobs"]) for number in numbers] == [1, 2, 3]

    def test_pipeline_uses_the_newest_commit(self, simulator: Simulator, client: Client) -> None:
        sha = simulator.set_ref("main")
        assert client.post("pipeline", json={"ref": "main"}).json()["sha"] == sha

    def test_each_request_creates_a_pipeline(self, simulator: Simulator, client: Client) -> None:
        assert [client.post("pipeline", json={"ref": "main"}).json()["id"] for _round in range(2)] == [101, 102]

    def test_pipeline_of_another_user_is_created_without_a_request(self, simulator: Simulator, client: Client) -> None:
        number = simulator.create_pipeline("main", user="dev", variables={"A": "1"})
        assert simulator.pipeline(number)["user"] == "dev"
        assert simulator.effects()[0]["action"] == "create_pipeline" and simulator.writes() == []
        with pytest.raises(ApiError):
            simulator.create_pipeline("nothing")


class TestWhoMayCreate:
    @pytest.mark.parametrize(
        ("who", "expected"),
        [("dev", 201), ("rob", 403), ("gus", 403), ("eve", 404), (None, 401)],
    )
    def test_creation_requires_a_developer(
        self, simulator: Simulator, client: Client, who: str | None, expected: int
    ) -> None:
        response = Client(simulator, who and f"{who}-token").post("pipeline", json={"ref": "main"})
        assert response.status_code == expected
        assert len(simulator.effects()) == (expected == 201)

    def test_protected_ref_limits_all_writes(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a", "status": "failed"}, protected_refs={"main": ["olga"]}))
        client = Client(simulator, "dev-token")
        text = (
            "You do not have sufficient permission to run a pipeline on 'main'. "
            "Please select a different branch or contact your administrator for assistance."
        )
        assert outcome(client.post("pipeline", json={"ref": "main"})) == base(text)
        assert outcome(client.post("pipelines/100/retry")) == DENIED
        assert outcome(client.post("pipelines/100/cancel")) == DENIED
        assert Client(simulator, "olga-token").post("pipeline", json={"ref": "main"}).status_code == 201
        simulator.load(world({"name": "a"}, protected_refs={"main": ["olga"]}), version="13.12")
        old = base("Insufficient permissions for protected ref 'main'")
        assert outcome(client.post("pipeline", json={"ref": "main"})) == old

    @pytest.mark.parametrize("more", [{"archived": True}, {"builds_enabled": False}])
    def test_archived_project_and_disabled_builds_are_denied(
        self, simulator: Simulator, more: dict[str, t.Any]
    ) -> None:
        simulator.load(world({"name": "a"}, **more))
        assert outcome(Client(simulator).post("pipeline", json={"ref": "main"})) == DENIED


class TestRefusals:
    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            ({}, (400, {"error": "ref is missing"})),
            ({"ref": "main", "variables": {"A": "1"}}, (400, {"error": "variables is invalid"})),
            ({"ref": "main", "variables": [{"key": "A", "value": "1", "variable_type": "x"}]},
             (400, {"error": "variables[0][variable_type] does not have a valid value"})),
            ({"ref": "main", "inputs": [1]}, (400, {"error": "inputs is invalid"})),
            ({"ref": "both"}, base("Ref is ambiguous")),
            ({"ref": "nothing"}, base("Reference not found")),
            ({"ref": "f" * 40}, base("Reference not found")),
            ({"ref": "empty"}, base("Commit not found")),
            ({"ref": "main", "variables": [{"key": "A", "value": "1"}] * 2}, base("Duplicate variable name: A")),
            ({"ref": "main", "variables": [{"key": k, "value": "1"} for k in "ABAB"]},
             base("Duplicate variable names: A, B")),
            ({"ref": "main", "inputs": {"x": "1"}}, base("unknown input arguments: x")),
        ],
    )  # fmt: skip
    def test_invalid_requests_are_refused(
        self, simulator: Simulator, client: Client, sent: dict[str, t.Any], expected: tuple[int, t.Any]
    ) -> None:
        assert outcome(client.post("pipeline", json=sent)) == expected
        assert simulator.effects() == [] and len(client.get("pipelines").json()) == 1

    @pytest.mark.parametrize(
        ("template", "version", "text"),
        [
            ({"refused": "no_config"}, "18.10", "Missing CI config file"),
            ({"refused": "no_config"}, "12.0", "Missing .gitlab-ci.yml file"),
            ({"refused": "workflow_rules"}, "18.10", "Pipeline filtered out by workflow rules."),
            ({"refused": "workflow_rules"}, "19.2",
             "The pipeline did not run. Review the workflow:rules configuration for the pipeline."),
            ({"jobs": []}, "19.2",
             "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs."),
            ({"refused": "no_jobs"}, "18.10", "Pipeline will not run for the selected trigger. "
             "The rules configuration prevented any jobs from being added to the pipeline."),
            ({"refused": "no_jobs"}, "11.11", "No stages / jobs for this pipeline."),
            ({"refused": "too_many_jobs"}, "18.10",
             "Project exceeded the allowed number of jobs in active pipelines. Retry later."),
            ({"yaml_errors": "jobs:build config should implement a script"}, "18.10",
             "jobs:build config should implement a script"),
        ],
    )  # fmt: skip
    def test_configuration_errors_are_reported(
        self, simulator: Simulator, template: dict[str, t.Any], version: str, text: str
    ) -> None:
        simulator.load(world({"name": "a"}, templates={"main": template}), version=version)
        client = Client(simulator)
        assert outcome(client.post("pipeline", json={"ref": "main"})) == base(text)
        # No pipeline is left behind, unlike after a push.
        assert simulator.effects() == [] and len(client.get("pipelines").json()) == 1

    def test_inputs_are_ignored_before_17_10(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a"}), version="17.9")
        sent = {"ref": "main", "inputs": "text"}
        assert Client(simulator).post("pipeline", json=sent).status_code == 201

    def test_project_without_templates_has_no_ci_file(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}))
        assert outcome(Client(simulator).post("pipeline", json={"ref": "main"})) == base("Missing CI config file")

    @pytest.mark.parametrize(
        ("role", "who", "expected"),
        [("no_one_allowed", "olga", 400), ("owner", "mia", 400), ("maintainer", "mia", 201), ("developer", "dev", 201),
         ("owner", "ada", 403)],
    )  # fmt: skip
    def test_variables_require_the_minimum_override_role(
        self, simulator: Simulator, role: str, who: str, expected: int
    ) -> None:
        simulator.load(world({"name": "a"}, variables_minimum_override_role=role))
        sent = {"ref": "main", "variables": [{"key": "A", "value": "1"}]}
        client = Client(simulator, f"{who}-token")
        response = client.post("pipeline", json=sent)
        if who == "ada":
            # Administrators may create pipelines, but have no role in the project that allows variables.
            expected = 400
        assert response.status_code == expected
        if expected == 400:
            assert outcome(response) == base("Insufficient permissions to set pipeline variables")
        assert client.post("pipeline", json={"ref": "main", "variables": []}).status_code == 201

    def test_creation_limit_applies_per_user_and_commit(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a"}, limits={"pipelines_per_minute": 25}))
        client = Client(simulator)
        assert client.post("pipeline", json={"ref": "nothing"}).status_code == 400
        answers = [client.post("pipeline", json={"ref": "main"}) for _round in range(26)]
        assert [one.status_code for one in answers] == [201] * 25 + [400]
        assert outcome(answers[-1]) == base("Too many pipelines created in the last minute. Try again later.")
        assert "Retry-After" not in answers[-1].headers
        # The limit applies to each user and commit.
        assert client.post("pipeline", json={"ref": "v1"}).status_code == 201
        assert Client(simulator, "dev-token").post("pipeline", json={"ref": "main"}).status_code == 201
        simulator.advance(60)
        assert client.post("pipeline", json={"ref": "main"}).status_code == 201
        assert len(simulator.effects()) == 28

    def test_user_limit_applies_to_all_commits(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a"}, limits={"pipelines_of_user_per_minute": 1}))
        client = Client(simulator)
        assert [client.post("pipeline", json={"ref": ref}).status_code for ref in ("main", "v1")] == [201, 400]

    def test_importing_project_refuses_pipelines(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a"}, importing=True))
        text = "You cannot run pipelines before project import is complete."
        assert outcome(Client(simulator).post("pipeline", json={"ref": "main"})) == base(text)

    @pytest.mark.parametrize(
        ("template", "text"),
        [({"jobs": [{"nam": "x"}]}, "did you mean name"), ({"refuse": "x"}, "did you mean refused"),
         ({"jobs": [{"name": "x", "needs": ["y"]}]}, "unknown job 'y'"), ({"inputs": {"a": {"type": "int"}}}, "type")],
    )  # fmt: skip
    def test_invalid_templates_are_refused(self, simulator: Simulator, template: dict[str, t.Any], text: str) -> None:
        with pytest.raises(ScenarioError, match=text):
            simulator.load(world({"name": "a"}, templates={"main": template}))


class TestInputs:
    SPECS: t.ClassVar[dict[str, t.Any]] = {
        "where": {"options": ["test", "live"]},
        "count": {"type": "number", "default": 1},
        "fast": {"type": "boolean", "default": False},
        "names": {"type": "array", "default": []},
        "tag": {"regex": "^v[0-9]", "default": "v1"},
    }

    def load(self, simulator: Simulator, version: str = "18.10") -> Client:
        simulator.load(world({"name": "a"}, templates={"main": {"jobs": JOBS, "inputs": self.SPECS}}), version=version)
        return Client(simulator)

    def test_typed_inputs_are_stored(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        given = {"where": "live", "count": 3, "fast": True, "names": ["a"], "tag": "v2"}
        assert client.post("pipeline", json={"ref": "main", "inputs": given}).status_code == 201
        assert simulator.pipeline(101)["inputs"] == simulator.effects()[0]["inputs"] == given
        form = {
            "ref": "main",
            **{f"inputs[{k}]": v if k in ("where", "tag") else json.dumps(v) for k, v in given.items()},
        }
        assert client.post("pipeline", data=form).status_code == 201
        assert simulator.pipeline(102)["inputs"] == given

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({}, "`where` input: required value has not been provided"),
            ({"where": "moon"}, "`where` input: `moon` cannot be used because it is not in the list of allowed options "
             "(test, live)"),
            ({"where": "test", "count": "3"}, "`count` input: provided value is not a number"),
            ({"where": "test", "count": True}, "`count` input: provided value is not a number"),
            ({"where": "test", "fast": "true"}, "`fast` input: provided value is not a boolean"),
            ({"where": "test", "names": "a"}, "`names` input: provided value is not an array"),
            ({"where": "test", "tag": 2}, "`tag` input: provided value is not a string"),
            ({"where": "test", "tag": "x"}, "`tag` input: provided value does not match required RegEx pattern"),
        ],
    )  # fmt: skip
    def test_invalid_inputs_are_refused(self, simulator: Simulator, given: dict[str, t.Any], text: str) -> None:
        response = self.load(simulator).post("pipeline", json={"ref": "main", "inputs": given})
        assert outcome(response) == base(text)

    def test_inputs_are_dropped_before_17_10(self, simulator: Simulator) -> None:
        client = self.load(simulator, "17.9")
        assert client.post("pipeline", json={"ref": "main", "inputs": {"where": "live"}}).status_code == 201
        assert simulator.pipeline(101)["inputs"] == {}


class TestTrigger:
    @pytest.fixture
    def anonymous(self, simulator: Simulator) -> Client:
        jobs = [{"name": "running", "status": "running", "duration": 99}, {"name": "done", "status": "failed"}]
        simulator.load(world(*jobs, templates={"feature/*": {"yaml_errors": "broken"}}))
        return Client(simulator, None)

    def test_trigger_token_creates_a_pipeline(self, simulator: Simulator, anonymous: Client) -> None:
        sent = {"token": "glptt-good", "ref": "main", "variables[A]": "1"}
        response = anonymous.post("trigger/pipeline", data=sent)
        assert (response.status_code, response.json()["source"]) == (201, "trigger")
        made = simulator.pipeline(101)
        assert made["user"] == "dev"
        assert [(row["key"], row["variable_type"]) for row in made["variables"]] == [
            ("A", "env_var"), ("TRIGGER_PAYLOAD", "file"),
        ]  # fmt: skip
        assert "glptt-good" not in json.dumps([made, simulator.requests()])
        assert actions(simulator) == [("trigger_pipeline", 101)]
        assert simulator.requests()[0]["user"] == "dev"

    def test_job_token_creates_a_pipeline_while_its_job_runs(self, simulator: Simulator, anonymous: Client) -> None:
        response = anonymous.post("trigger/pipeline", json={"token": "glcbt-job", "ref": "main"})
        assert (response.status_code, response.json()["source"]) == (201, "pipeline")
        assert anonymous.post("trigger/pipeline", json={"token": "glcbt-done", "ref": "main"}).json() == {
            "message": "Job is not running"
        }

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ({"job_token_allowlist": ["group/app"]}, 201),
            ({"job_token_allowlist": ["group"]}, 201),
            ({}, (404, {"message": "404 Not Found"})),
            # the project is visible, but without an allowlist entry the role of the job's user does not count
            ({"visibility": "public"}, base("Insufficient permissions to create a new pipeline")),
            ({"visibility": "public", "job_token_allowlist": ["group/app"]}, 201),
        ],
    )
    def test_job_token_of_another_project_requires_the_allowlist(
        self, simulator: Simulator, target: dict[str, t.Any], expected: t.Any
    ) -> None:
        scenario = world({"name": "running", "status": "running", "duration": 99})
        scenario["projects"].append(
            {
                "path": "top/other",
                "id": 8,
                "members": {"mia": "maintainer"},
                "new_pipelines": {"*": {"jobs": JOBS}},
                **target,
            }
        )
        simulator.load(scenario)
        sent = {"token": "glcbt-job", "ref": "main"}
        response = Client(simulator, None).post("/projects/8/trigger/pipeline", json=sent)
        assert (response.status_code if expected == 201 else outcome(response)) == expected
        assert len(simulator.effects()) == (expected == 201)

    def test_ref_in_the_url_takes_precedence(self, anonymous: Client) -> None:
        response = anonymous.post("ref/refs/tags/v1/trigger/pipeline", json={"token": "glptt-good", "ref": "main"})
        assert response.json()["ref"] == "v1"

    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            ({"ref": "main"}, (400, {"error": "token is missing"})),
            ({"token": "glptt-good"}, (400, {"error": "ref is missing"})),
            ({"token": "glptt-good", "ref": " "}, (400, {"error": "ref is empty"})),
            ({"token": "glptt-good", "ref": "main", "variables": ["A"]}, (400, {"error": "variables is invalid"})),
            ({"token": "glptt-good", "ref": "main", "variables": {"A": 1}},
             (400, {"message": "variables needs to be a map of key-valued strings"})),
            ({"token": "nonsense", "ref": "main"}, (404, {"message": "404 Not Found"})),
            ({"token": "glptt-old", "ref": "main"}, (404, {"message": "404 Not Found"})),
            ({"token": "mia-token", "ref": "main"}, (404, {"message": "404 Not Found"})),
            ({"token": "glptt-good", "ref": "nothing"}, base("Reference not found")),
        ],
    )  # fmt: skip
    def test_invalid_requests_are_refused(
        self, simulator: Simulator, anonymous: Client, sent: dict[str, t.Any], expected: tuple[int, t.Any]
    ) -> None:
        assert outcome(anonymous.post("trigger/pipeline", json=sent)) == expected
        assert simulator.effects() == []

    def test_other_projects_and_pipeline_hooks_are_refused(self, anonymous: Client) -> None:
        sent = {"token": "glptt-good", "ref": "main"}
        assert anonymous.post("/projects/99/trigger/pipeline", json=sent).status_code == 404
        hook = anonymous.post("trigger/pipeline", json=sent, headers={"X-Gitlab-Event": "Pipeline Hook"})
        assert outcome(hook) == DENIED

    def test_broken_pipeline_is_kept_as_failed(self, simulator: Simulator, anonymous: Client) -> None:
        response = anonymous.post("trigger/pipeline", json={"token": "glptt-good", "ref": "feature/a"})
        assert outcome(response) == (422, {"message": {"base": ["broken"]}})
        kept = Client(simulator).get("pipelines/101").json()
        assert (kept["status"], kept["yaml_errors"]) == ("failed", "broken")


class TestRetry:
    def load(self, simulator: Simulator, *jobs: dict[str, t.Any]) -> Client:
        simulator.load(world(*jobs))
        return Client(simulator, "dev-token")

    def test_retry_restarts_failed_canceled_and_skipped_jobs(self, simulator: Simulator) -> None:
        client = self.load(
            simulator,
            {"name": "good", "stage": "one", "status": "success"},
            {"name": "bad", "stage": "one", "status": "failed", "attempts": [{"outcome": "failed"}, {}]},
            {"name": "cut", "stage": "one", "status": "canceled"},
            {"name": "later", "stage": "two", "status": "skipped"},
        )
        response = client.post("pipelines/100/retry")
        # The response contains the pipeline as it was before the retry.
        assert (response.status_code, response.json()["status"]) == (201, "failed")
        rows = {row["name"]: row for row in client.get("pipelines/100/jobs").json()}
        assert {name: row["status"] for name, row in rows.items()} == {
            "good": "success", "bad": "pending", "cut": "pending", "later": "created",
        }  # fmt: skip
        assert rows["bad"]["id"] > 1003 and rows["bad"]["user"]["username"] == "dev"
        simulator.advance(60)
        assert client.get("pipelines/100").json()["status"] == "success"
        assert actions(simulator) == [("retry_pipeline", 100)]

    def test_retried_jobs_wait_for_their_stage(self, simulator: Simulator) -> None:
        client = self.load(
            simulator,
            {"name": "one", "stage": "one", "status": "failed", "duration": 50},
            {"name": "two", "stage": "two", "status": "failed"},
        )
        client.post("pipelines/100/retry")
        assert [simulator.job(name)["status"] for name in ("one", "two")] == ["pending", "created"]

    def test_retry_of_a_successful_pipeline_has_no_effect(self, simulator: Simulator) -> None:
        client = self.load(simulator, {"name": "good", "status": "success"})
        assert client.post("pipelines/100/retry").status_code == 201
        assert simulator.effects() == []

    @pytest.mark.parametrize("action", ["retry", "cancel"])
    @pytest.mark.parametrize(("who", "status"), [("rob", 403), ("eve", 404), (None, 401)])
    def test_retry_and_cancel_require_a_developer(
        self, simulator: Simulator, action: str, who: str | None, status: int
    ) -> None:
        self.load(simulator, {"name": "bad", "status": "failed"})
        client = Client(simulator, who and f"{who}-token")
        assert client.post(f"pipelines/100/{action}").status_code == status
        assert client.post(f"pipelines/999/{action}").status_code == (401 if who is None else 404)


class TestCancel:
    def test_cancel_ends_only_cancelable_jobs(self, simulator: Simulator) -> None:
        states = ("created", "pending", "running", "manual", "scheduled", "success", "failed")
        simulator.load(world(*({"name": state, "status": state, "allow_failure": True} for state in states)))
        client = Client(simulator, "dev-token")
        response = client.post("pipelines/100/cancel")
        assert (response.status_code, response.json()["status"]) == (200, "running")
        assert {name: simulator.job(name)["status"] for name in states} == {
            "created": "canceled", "pending": "canceled", "running": "canceling", "manual": "manual",
            "scheduled": "canceled", "success": "success", "failed": "failed",
        }  # fmt: skip
        assert client.get("pipelines/100").json()["status"] == "canceling"
        assert client.post("pipelines/100/cancel").status_code == 200
        assert actions(simulator) == [("cancel_pipeline", 100)]

    def test_cancel_of_a_blocked_pipeline_has_no_effect(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a", "when": "manual", "allow_failure": False}))
        response = Client(simulator).post("pipelines/100/cancel")
        assert (response.status_code, response.json()["status"]) == (200, "manual")
        assert simulator.effects() == []

    def test_cancel_reaches_child_pipelines_but_not_other_projects(self, simulator: Simulator) -> None:
        below = {"jobs": [{"name": "below", "status": "running", "duration": 99}]}
        made = world(
            {"name": "child", "status": "running", "trigger": {"strategy": "depend", "pipeline": below}},
            {"name": "away", "status": "running",
             "trigger": {"project": "group/b", "pipeline": {"jobs": [{"name": "far", "queue": None}]}}},
        )  # fmt: skip
        made["projects"].append({"path": "group/b", "id": 8})
        simulator.load(made)
        Client(simulator).post("pipelines/100/cancel")
        assert [simulator.job(name)["status"] for name in ("child", "away", "below", "far")] == [
            "canceled", "canceled", "canceling", "pending",
        ]  # fmt: skip

    def test_cancel_of_a_finished_pipeline_spares_its_children(self, simulator: Simulator) -> None:
        below = {"jobs": [{"name": "below", "status": "running", "duration": 99}]}
        simulator.load(world({"name": "child", "status": "success", "trigger": {"pipeline": below}}))
        assert Client(simulator).post("pipelines/100/cancel").status_code == 200
        assert (simulator.job("below")["status"], simulator.effects()) == ("running", [])


class TestDeleteAndRename:
    def test_only_owners_can_delete_a_pipeline(self, simulator: Simulator, client: Client) -> None:
        assert outcome(client.delete("pipelines/100")) == DENIED
        owner = Client(simulator, "olga-token")
        assert owner.delete("pipelines/100").status_code == 204
        assert [owner.get(path).status_code for path in ("pipelines/100", "jobs/1000")] == [404, 404]
        assert owner.get("jobs").json() == owner.get("pipelines").json() == []
        assert owner.delete("pipelines/100").status_code == 404
        assert actions(simulator) == [("delete_pipeline", 100)]
        simulator.advance(100)

    def test_delete_conflicts_with_a_stats_refresh(self, simulator: Simulator) -> None:
        simulator.load(world({"name": "a"}, stats_refresh=True))
        assert Client(simulator, "olga-token").delete("pipelines/100").status_code == 409

    def test_pipeline_is_renamed(self, simulator: Simulator, client: Client) -> None:
        response = client.call("PUT", "pipelines/100/metadata", json={"name": "Release 5"})
        assert (response.status_code, response.json()["name"]) == (200, "Release 5")
        assert client.get("pipelines?name=Release%205").json()[0]["id"] == 100
        assert client.call("PUT", "pipelines/100/metadata", json={}).json() == {"error": "name is missing"}
        long = client.call("PUT", "pipelines/100/metadata", json={"name": "x" * 256}).json()["message"]
        assert long == "Failed to update pipeline - Name is too long (maximum is 255 characters)"
        assert actions(simulator) == [("rename_pipeline", 100)]


class TestVariablesAndReports:
    @pytest.mark.parametrize(("who", "status"), [("mia", 200), ("dev", 403), ("rob", 403), ("eve", 404)])
    def test_reading_variables_requires_a_maintainer(self, simulator: Simulator, who: str, status: int) -> None:
        made = world({"name": "a"})
        made["pipelines"][0]["variables"] = {"A": "1"}
        simulator.load(made)
        response = Client(simulator, f"{who}-token").get("pipelines/100/variables")
        assert response.status_code == status
        if status == 200:
            assert response.json() == [{"variable_type": "env_var", "key": "A", "value": "1", "raw": False}]

    def test_developers_can_read_their_own_variables(self, simulator: Simulator, client: Client) -> None:
        own = Client(simulator, "dev-token")
        own.post("pipeline", json={"ref": "main", "variables": [{"key": "A", "value": "1"}]})
        assert own.get("pipelines/101/variables").status_code == 200

    def test_reports_contain_the_results_of_finished_jobs(self, simulator: Simulator) -> None:
        tests = [{"name": "one"}, {"name": "two", "status": "failed", "time": 2.5, "output": "boom"}]
        simulator.load(world({"name": "unit", "tests": tests, "outcome": "failed"}, {"name": "other"}))
        client = Client(simulator)
        assert client.get("pipelines/100/test_report_summary").json()["total"]["count"] == 0
        simulator.advance(60)
        summary = client.get("pipelines/100/test_report_summary").json()
        assert summary["total"] == {
            "time": 3.5, "count": 2, "success": 1, "failed": 1, "skipped": 0, "error": 0, "suite_error": None,
        }  # fmt: skip
        assert summary["test_suites"][0]["build_ids"] == [1000]
        report = client.get("pipelines/100/test_report").json()
        assert (report["total_count"], report["failed_count"]) == (2, 1)
        (suite,) = report["test_suites"]
        assert [(case["name"], case["status"], case["system_output"]) for case in suite["test_cases"]] == [
            ("one", "success", None), ("two", "failed", "boom"),
        ]  # fmt: skip
