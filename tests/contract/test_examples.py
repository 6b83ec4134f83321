# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples: all of them are valid and can be copied, and together they show every option."""

from __future__ import annotations

import dataclasses
import re
import typing as t

import pytest
import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import options as shared_options
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import CONNECTION
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.connection import (
    EXTENSION_VARIABLES,
    URL_VARIABLES,
)
from jinja2 import Environment, nodes

from tests.contract.support import COLLECTION, TASKS, documentation, file_options, validated

GROUP = f"group/{COLLECTION}.gitlab"
LOOKUP = f"{COLLECTION}.gitlab_job"
KEYWORDS = {"name", "register", "when", "loop", "loop_control", "vars", "module_defaults", "block"}
TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# Replacements for templates, by the type of the option; they only need to be plausible.
DUMMIES = {"int": "7", "float": "7", "bool": "true", "str": "from/template", "path": "/from/template"}
# Replacements for options whose type is not specific enough.
DUMMIES_BY_NAME = {"checksum": "0" * 64, "sha": "0" * 40}

# Options without an example, and why.
NOT_SHOWN: dict[str, dict[str, str]] = {
    "gitlab_deployment_approval": {"api_job_token": "a CI job that approves what it deploys would make approvals vain"},
    "gitlab_job_action": {"api_job_token": "GitLab lets a job token act on no job, so an example would mislead"},
    "gitlab_job_token_info": dict.fromkeys(("api_token", "api_oauth_token"), "to give one is an error"),
}


@dataclasses.dataclass(frozen=True)
class Example:
    """One task, with the module defaults that apply to it."""

    source: str
    name: str
    module: str
    own: dict[str, t.Any] | None
    defaults: dict[str, t.Any]

    @property
    def parameters(self) -> dict[str, t.Any]:
        return {**self.defaults, **(self.own or {})}


def examples_of(source: str, tasks: list[dict[str, t.Any]], defaults: dict[str, t.Any]) -> t.Iterator[Example]:
    for task in tasks:
        modules = [key for key in task if key not in KEYWORDS]
        given = {**defaults, **task.get("module_defaults", {}).get(GROUP, {})}
        if "block" in task:
            assert not modules, f"{task['name']}: {modules}"
            yield from examples_of(source, task["block"], given)
            continue
        assert len(modules) == 1, f"{task.get('name')}: {modules}"
        yield Example(source, task.get("name", ""), modules[0], task[modules[0]], given)


def load(source: str, plugin_type: str = "module") -> list[Example]:
    return list(examples_of(source, yaml.safe_load(documentation(source, plugin_type).examples), {}))


MODULE_EXAMPLES = [example for name in sorted(TASKS) for example in load(name)]
LOOKUP_EXAMPLES = load("gitlab_job", "lookup")
OWN_EXAMPLES = [example for example in MODULE_EXAMPLES if example.module.startswith(f"{COLLECTION}.")]


def label(example: Example) -> str:
    return f"{example.source}-{example.name}"


def task_of(example: Example) -> t.Any:
    return TASKS[example.module.rpartition(".")[2]]


def filled(example: Example) -> dict[str, t.Any]:
    """Return the parameters of an example, with a suitable value in place of each template."""
    arguments = {**file_options(task_of(example).name), **task_of(example).spec.arguments}
    known = {alias: option for option in arguments.values() for alias in option.get("aliases", ())}
    known.update(arguments)

    def fill(value: t.Any, dummy: str) -> t.Any:
        if isinstance(value, dict):
            return {key: fill(inner, dummy) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner, dummy) for inner in value]
        return TEMPLATE.sub(dummy, value) if isinstance(value, str) else value

    return {
        name: fill(value, DUMMIES_BY_NAME.get(name) or DUMMIES.get(known.get(name, {}).get("type", "str"), "template"))
        for name, value in example.parameters.items()
    }


class SessionReachedError(Exception):
    """The task accepted its options and would connect now."""


def run_checks(monkeypatch: pytest.MonkeyPatch, task_name: str, parameters: dict[str, t.Any]) -> None:
    """Run a task until it would load extensions and connect.

    :raises UsageError: if the task rejects its options.
    """

    def stop(*_arguments: t.Any, **_how: t.Any) -> t.NoReturn:
        raise SessionReachedError

    # a session is opened once its connection is known
    monkeypatch.setattr(shared_options, "open_session", stop)
    options = validated(TASKS[task_name], parameters)
    with pytest.raises(SessionReachedError):
        TASKS[task_name].run(options, TaskContext(environ={"CI_JOB_TOKEN": "of-this-job"}))


@pytest.mark.parametrize("example", OWN_EXAMPLES, ids=label)
def test_example_is_accepted(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*URL_VARIABLES, *EXTENSION_VARIABLES):
        monkeypatch.delenv(variable, raising=False)
    run_checks(monkeypatch, example.module.rpartition(".")[2], filled(example))


def test_invalid_examples_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"project": "group/app", "job_id": 42, "action": "cancel", "replay": "always"}
    with pytest.raises(UsageError, match="replay can only be used with play"):
        run_checks(monkeypatch, "gitlab_job_action", wrong)
    with pytest.raises(AssertionError, match="mutually exclusive"):
        run_checks(monkeypatch, "gitlab_job_action", {"project": 1, "job_id": 42, "ref": "main", "action": "play"})


@pytest.mark.parametrize("name", sorted(TASKS))
def test_examples_show_every_option(name: str) -> None:
    shown = {
        option
        for example in OWN_EXAMPLES
        if example.source == name and example.module == f"{COLLECTION}.{name}"
        for option in example.parameters
    }
    assert set(TASKS[name].spec.arguments) - shown == set(NOT_SHOWN.get(name, {}))


@pytest.mark.parametrize("example", MODULE_EXAMPLES + LOOKUP_EXAMPLES, ids=label)
def test_example_is_well_written(example: Example) -> None:
    assert example.name[:1].isupper()
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+\.[a-z_]+", example.module)
    if example.module.startswith(f"{COLLECTION}."):
        assert example.module.rpartition(".")[2] in TASKS


@pytest.mark.parametrize("example", OWN_EXAMPLES, ids=label)
def test_example_contains_no_secret(example: Example) -> None:
    arguments = task_of(example).spec.arguments
    hidden = [name for name, option in arguments.items() if option.get("no_log")]
    hidden += [alias for name in hidden for alias in arguments[name].get("aliases", ())]
    for name in hidden:
        given = example.parameters.get(name, "{{ }}")
        for value in given.values() if isinstance(given, dict) else [given]:
            assert TEMPLATE.fullmatch(value), f"{name} is written out"


@pytest.mark.parametrize("name", [*sorted(TASKS), "gitlab_job"])
def test_examples_contain_no_token_pattern(name: str) -> None:
    text = documentation(name, "module" if name in TASKS else "lookup").examples
    assert not re.search(r"gl[a-z]{2,5}-\w", text)
    assert not re.search(r"(?i)(password|secret)\s*[:=]\s*[^\s{]", text)


# ----- the lookup -----


def expressions(value: t.Any) -> t.Iterator[str]:
    """Yield every string inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from expressions(inner)


def lookup_calls() -> list[nodes.Call]:
    tasks = yaml.safe_load(documentation("gitlab_job", "lookup").examples)
    calls = (
        call
        for task in tasks
        for text in expressions(task)
        if "lookup(" in text or "query(" in text
        for call in Environment(autoescape=True).parse(text).find_all(nodes.Call)
    )
    return [call for call in calls if getattr(call.node, "name", "") in ("lookup", "query")]


def test_lookup_examples_use_the_full_name_and_known_options() -> None:
    options = documentation("gitlab_job", "lookup").doc["options"]
    calls = lookup_calls()
    assert len(calls) == len(LOOKUP_EXAMPLES)
    for call in calls:
        assert call.args[0].as_const() == LOOKUP
        assert {keyword.key for keyword in call.kwargs} <= set(options)


def test_lookup_examples_show_every_option_of_the_lookup() -> None:
    options = set(documentation("gitlab_job", "lookup").doc["options"])
    shown = {keyword.key for call in lookup_calls() for keyword in call.kwargs}
    # the connection options are those of the modules, whose examples show them
    assert sorted(options - {"_terms"} - shown - set(CONNECTION.arguments)) == []


def test_lookup_examples_contain_no_secret() -> None:
    for call in lookup_calls():
        for keyword in call.kwargs:
            assert not (keyword.key.endswith("_token") and isinstance(keyword.value, nodes.Const))
