# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions are found by the names of their entry points, and their errors are reported in one sentence."""

from __future__ import annotations

import sys
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import ExtensionError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.manager import PluginManager
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import session_of

from tests.contract.fake_gitlab import FakeGitLab, play, run
from tests.contract.support import Install

HOOK = "import pluggy\n\nhookimpl = pluggy.HookimplMarker('jobgate.gitlab')\n\n\n@hookimpl\n"


def load(*names: str) -> PluginManager:
    return PluginManager(names)


def test_only_named_extensions_are_loaded(install: Install) -> None:
    install(
        wanted=f"{HOOK}def gitlab_annotate_record(kind):\n    return {{'is': kind}}\n", unwanted="raise RuntimeError\n"
    )
    assert load("wanted", "wanted").notes("job", {}) == {"is": "job"}
    assert load().notes("job", {}) == {}
    assert "unwanted" not in sys.modules


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("something", None, "unknown extension 'something'; installed: "),
        ("broken", "import no_such_library\n", "'broken' cannot be loaded: ModuleNotFoundError: .*no_such_library"),
        ("failing", "raise RuntimeError('not today')\n", "'failing' cannot be loaded: RuntimeError: not today"),
        ("leaving", "raise SystemExit(3)\n", "'leaving' cannot be loaded: SystemExit: 3"),
        ("misspelt", f"{HOOK}def gitlab_decide(job):\n    return None\n", "'misspelt' does not match.*gitlab_decide"),
        (
            "greedy",
            f"{HOOK}def gitlab_authenticate(settings, more):\n    return None\n",
            "'greedy' does not match.*more",
        ),
    ],
)
def test_unloadable_extensions_are_explained(
    name: str, source: str | None, message: str, install: Install, install_example: t.Any
) -> None:
    install_example("audit_log")
    if source is not None:
        install(**{name: source})
    with pytest.raises(ExtensionError, match="(?s)" + message):
        load(name)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "raise ValueError('no such day')",
            "failed in gitlab_decide_job_action: ValueError: no such day",
        ),
        ("return 'refuse'", "returned str from gitlab_decide_job_action"),
    ],
)
def test_invalid_decisions_are_explained(body: str, message: str, gitlab: FakeGitLab, install: Install) -> None:
    install(wrong=f"{HOOK}def gitlab_decide_job_action(job):\n    {body}\n")
    with pytest.raises(ExtensionError, match=message):
        play("wrong")
    assert gitlab.writes == []


def test_extension_error_is_reported_with_its_own_message(gitlab: FakeGitLab, install: Install) -> None:
    package = ExtensionError.__module__
    install(
        picky=f"from {package} import ExtensionError\n{HOOK}def gitlab_authenticate():\n"
        "    raise ExtensionError('log in with acme-login first')\n"
    )
    with pytest.raises(ExtensionError) as caught:
        play("picky")
    assert str(caught.value) == "log in with acme-login first"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("add(registry.endpoint('get_job', 'GET', '/elsewhere'))", "wrong.*get_job is already registered"),
        ("replace(registry.endpoint('zzz', 'GET', '/elsewhere'))", r"\(wrong\) .*'zzz', which does not exist; use "),
        ("replace(registry.endpoint('get_job', 'GET', '/a/{project}'))", "'get_job' with one .* check job_id"),
        ("replace(registry.endpoint('get_project', 'GET', '/a/{project}/{b}'))", "'get_project' with one .* check b"),
        ("endpoint('x', 'GET', '/a/{b}', query=('b',))", "wrong.*endpoint x: each argument needs one place; check b"),
        ("endpoint('x', 'GET', '/a/{b}', with_slashes=('c',))", "wrong.*each argument needs one place; check c"),
        ("endpoint('x', 'get', '/a')", "wrong.*endpoint x: 'get' is not one of GET, POST, PUT, PATCH, DELETE"),
        ("endpoint('x', 'GET', 'a')", "wrong.*endpoint x: the path must start with a slash"),
        (
            "endpoint('x', 'GET', '/a', answer='json')",
            "wrong.*'json' is not one of record, records, text, bytes, nothing",
        ),
        ("endpoint('x', 'GET', '/a', paginated='page')", "wrong.*endpoint x: 'page' is not one of offset, keyset"),
    ],
)
def test_invalid_endpoints_are_explained(call: str, message: str, gitlab: FakeGitLab, install: Install) -> None:
    install(wrong=f"{HOOK}def gitlab_register_endpoints(registry):\n    registry.{call}\n")
    with pytest.raises(ExtensionError, match=message):
        play("wrong")
    assert gitlab.requests == []


def test_first_replacement_of_an_endpoint_is_used(gitlab: FakeGitLab, install: Install) -> None:
    replace = f"{HOOK}def gitlab_register_endpoints(registry):\n    path = '/%s/projects/{{project}}/jobs/{{job_id}}'\n"
    replace += "    registry.replace(registry.endpoint('get_job', 'GET', path))\n"
    install(one=replace % "one", two=replace % "two")
    for names in (("one", "two"), ("two", "one")):
        gitlab.services.clear()
        run("gitlab_job_info", *names)
        assert gitlab.services[0] == names[0]


def test_extension_can_override_the_action_table(gitlab: FakeGitLab, install: Install) -> None:
    gitlab.jobs[42]["status"] = "success"
    assert play().values["results"][0]["outcome"] == "unchanged"
    install(bold=f"{HOOK}def gitlab_decide_job_action(decisions):\n    return decisions.act('overruled')\n")
    assert play("bold").changed
    assert [request.endpoint for request in gitlab.writes] == ["play_job"]


def test_extension_named_first_decides(gitlab: FakeGitLab, install: Install) -> None:
    decide = f"{HOOK}def gitlab_decide_job_action(decisions):\n    return decisions."
    install(strict=decide + "refuse('strict')\n", lenient=decide + "same('lenient')\n")
    assert play("strict", "lenient").values["results"][0]["reason"] == "strict"
    assert play("lenient", "strict").values["results"][0]["reason"] == "lenient"
    assert gitlab.writes == []


def test_exception_in_session_preparation_is_explained(install: Install) -> None:
    install(clumsy=f"{HOOK}def gitlab_prepare_session(session):\n    session.mount()\n")
    with pytest.raises(ExtensionError, match="clumsy.*failed in gitlab_prepare_session: TypeError"):
        run("gitlab_job_info", "clumsy")


def test_spaces_around_extension_names_are_ignored(gitlab: FakeGitLab, install_example: t.Any) -> None:
    install_example("cost_centre")
    options = {"api_url": "https://gitlab.example.com", "extensions": [" cost_centre "]}
    session = session_of(options, TaskContext(environ={}))
    assert session.client.settings.extensions == ("cost_centre",)
    assert session.annotated("pipeline", {"project_id": 2})["annotations"] == {"cost_centre": "0815"}
