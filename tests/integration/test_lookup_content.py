# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts and logs in expressions of real playbooks."""

from __future__ import annotations

import pathlib
import typing as t

from .harness import TOKEN, play, world

FILES = {
    "build.env": "VERSION=1.2.0\nIMAGE=app\n",
    "out/report.json": '{"passed": 41, "failed": 1}',
    "out/settings.yml": "replicas: 3\nhosts: [a, b]\n",
    "notes.txt": "hello\n",
    "broken.json": '{"a":\n1,}',
}
LOOKUP = "lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', "


def scenario(**job: t.Any) -> dict[str, t.Any]:
    build = {
        "name": "build",
        "status": "success",
        "log": "\x1b[32mbuilding\x1b[0m\ndone\n",
        "artifacts": {"files": FILES},
    }
    return world({**build, **job})


def evaluate(simulator: t.Any, tmp_path: pathlib.Path, *expressions: str) -> t.Any:
    tasks = [
        {"name": expression, "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}} for expression in expressions
    ]
    result = play(tasks, tmp_path, url=simulator.url)
    assert result.returncode == 0, result.output
    return result


def assert_expressions_fail(simulator: t.Any, tmp_path: pathlib.Path, words: dict[str, str]) -> None:
    """Fail unless each expression fails with its words."""
    tasks = [
        {
            "name": f"task {number}",
            "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"},
            "ignore_errors": True,
        }
        for number, expression in enumerate(words)
    ]
    output = play(tasks, tmp_path, url=simulator.url).output
    assert "Traceback" not in output
    assert f"ignored={len(words)}" in output, output
    outputs = output.split("TASK [")[1:]
    for text, expected in zip(outputs, words.values(), strict=True):
        assert expected in text


def test_artifacts_and_logs_are_returned_as_values(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    expected: dict[str, t.Any] = {
        LOOKUP + "ref='main', artifact='build.env', parse='dotenv').VERSION": "1.2.0",
        LOOKUP + "pipeline_id=100, artifact='out/report.json', parse='json').failed + 1": "2",
        LOOKUP + "ref='main', artifact='out/settings.yml', parse='yaml').hosts | join('-')": "a-b",
        LOOKUP + "ref='main', artifact='notes.txt')": "hello\n",
        LOOKUP + "ref='main', artifact='none.txt', default='-')": "-",
        LOOKUP + "pipeline_id=100, log=true).splitlines() | last": "done",
        LOOKUP + "pipeline_id=100, log=true).splitlines() | first": "building",
    }
    result = evaluate(simulator, tmp_path, *expected)
    for expression, value in expected.items():
        shown = result.results[expression]["msg"]
        assert str(shown).strip() == str(value).strip(), expression
    assert simulator.writes() == []


def test_malformed_and_missing_artifacts_are_reported(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    broken = "artifact 'broken.json' of job 'build' (id 1000) is not valid JSON"
    words = {
        "ref='main', artifact='broken.json', parse='json')": broken,
        "ref='main', artifact='none.txt')": "there is no 'none.txt' in the artifacts of job 'build' (id 1000); "
        "gitlab_job_download with content: list shows what is there",
        "ref='main', artifact='notes.txt', log=true)": "artifact and log are mutually exclusive",
    }
    assert_expressions_fail(simulator, tmp_path, {LOOKUP + call: expected for call, expected in words.items()})


def test_identical_lookups_in_one_template_send_one_request(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    twice = LOOKUP + "pipeline_id=100).status ~ " + LOOKUP + "pipeline_id=100).name"
    evaluate(simulator, tmp_path, twice)
    assert len(simulator.requests()) == 1
    simulator.clear_logs()
    fresh = twice.replace("pipeline_id=100", "pipeline_id=100, cache_seconds=0")
    evaluate(simulator, tmp_path, fresh)
    assert len(simulator.requests()) == 2


def test_job_whose_name_is_a_number_is_found_by_job_name(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "404", "status": "success"}, {"name": "build", "status": "success"}))
    by = "lookup('jobgate.gitlab.gitlab_job', {}, project='group/app', pipeline_id=100).name"
    names = [by.format(which) for which in ("job_name='404'", "job_name=404")]
    found = evaluate(simulator, tmp_path, *names).results
    assert [str(found[expression]["msg"]) for expression in names] == ["404"] * 2
    build_id = LOOKUP + "pipeline_id=100).id"
    by_id = by.format(f"job_id={build_id}")
    assert evaluate(simulator, tmp_path, by_id).results[by_id]["msg"] == "build"


def test_omit_counts_as_not_set(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    by = "lookup('jobgate.gitlab.gitlab_job', {}, project='group/app', pipeline_id=100)"
    expected = {
        by.format("'build', api_token=omit, ref=no_such_variable | default(omit)") + ".name": "build",
        by.format("omit, job_name='build', attribute=omit, fields=omit") + ".name": "build",
        by.format("'none', default=omit") + " == omit": "True",
    }
    found = evaluate(simulator, tmp_path, *expected).results
    assert {expression: str(found[expression]["msg"]) for expression in expected} == expected
    nothing = {
        by.format("omit"): "specify the name or the id of a job",
        by.format("'build'").replace("'group/app'", "omit"): "project is missing",
    }
    assert_expressions_fail(simulator, tmp_path, nothing)


def test_invalid_lookup_arguments_are_reported(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    words = {
        "'build', projct='group/app'": "unknown option projct; did you mean project?",
        "'build', ref='main'": "project is missing; set it to the numeric id or the full path",
        "'build', project='group/app', ref='main', parse='josn'": "parse is 'josn'; did you mean json?",
        "'build', project='group/app', ref='main', parse='xml'": "parse is 'xml'; use one of ",
        "'build', project='group/app', color='red'": "unknown option color; its options are api_concurrency, ",
        "'build', job_name='build', project='group/app'": "terms, job_name and job_id are mutually exclusive",
        "project='group/app', pipeline_id=100": "specify the name or the id of a job",
        "job_id='one', project='group/app'": "job_id",
    }
    expressions = {f"lookup('jobgate.gitlab.gitlab_job', {call})": expected for call, expected in words.items()}
    assert_expressions_fail(simulator, tmp_path, expressions)
    assert simulator.requests() == []


def test_connection_comes_from_templated_variables(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    (tmp_path / "ansible.cfg").write_text("[jobgate_gitlab]\napi_url = http://127.0.0.1:1\n", encoding="utf-8")
    variables = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "jobgate_gitlab_api_url": "{{ address }}",
        "jobgate_gitlab_api_token": "{{ lookup('ansible.builtin.env', 'SECRET') }}",
        "jobgate_gitlab_api_retries": "{{ retries }}",
        "address": simulator.url,
        "retries": 0,
    }
    expression = LOOKUP + "pipeline_id=100).status"
    # a token in a variable takes precedence over one of another kind in the environment
    result = play(
        [{"name": "task", "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}}],
        tmp_path,
        token="",
        environment={"SECRET": TOKEN, "GITLAB_OAUTH_TOKEN": "wrong-token-0123456789"},
        play_keywords={"vars": variables},
    )
    assert result.returncode == 0, result.output
    assert result.results["task"]["msg"] == "success"
