# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unquoted strings that YAML reads as numbers or booleans are rejected, wherever they are."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.misread import refuse_misread

from tests.unit.faces import TASKS, as_lookup


def misread_text(arguments, given):
    """Return the error about these options, or an empty string."""
    try:
        refuse_misread(arguments, given)
    except UsageError as exc:
        return str(exc)
    return ""


def test_invalid_numbers_are_refused_before_ansible_converts_them():
    arguments = TASKS["gitlab_job_info"].spec.arguments
    for written in ("{job_id: .inf}", "{limit: .nan}", "{limit: inf}", "{limit: -Infinity}", "{job_id: '1e5000'}"):
        assert "use an integer" in misread_text(arguments, yaml.safe_load(written))
    # for Ansible the last value is a number, for float() it is not
    for value in ("9" * 5000, "9" * 19, 2**63 - 1, 10**5000, 1e18, "1__0e99999999"):
        assert "use an integer" in misread_text(arguments, {"job_id": value})
    for value in ("9" * 18, "1__0", 1e17, "1e-99999999", "sNaN!"):
        assert misread_text(arguments, {"job_id": value}) == ""


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{job_id: yes}", "job_id is a boolean; use an integer"),
        ("{limit: no}", "limit is a boolean; use an integer"),
        ("{wait: yes, wait_timeout: no}", "wait_timeout is a boolean; use a number of seconds"),
        ("{wait: yes, interval: off}", "interval is a boolean; use a number of seconds"),
        ("{name: [build, null]}", "name contains null; remove it"),
        ("{project: [group/app]}", "project is a list; use one value"),
        ("{api_token: {a: b}}", "api_token is a mapping; use one value"),
        *(
            (
                written,
                f"{written[1:].partition(':')[0]} contains binary data, which Ansible cannot pass to a module; use "
                "a string without !!binary",
            )
            for written in ("{ref: !!binary bWFpbg==}", "{name: [!!binary YQ==]}", "{http_headers: {A: !!binary YQ==}}")
        ),
    ],
)
def test_booleans_null_and_binary_data_are_refused(written, problem):
    assert misread_text(TASKS["gitlab_job_info"].spec.arguments, yaml.safe_load(written)) == problem


def test_binary_data_inside_an_input_is_refused():
    given = yaml.safe_load("{inputs: {targets: [a, !!binary YQ==]}}")
    assert misread_text(TASKS["gitlab_pipeline"].spec.arguments, given).startswith("inputs contains binary data")


@pytest.mark.parametrize(
    ("task", "written", "words"),
    [
        ("gitlab_job_action", "{ref: 1.10}", "ref is the number 1.1; put it in quotes"),
        ("gitlab_job_info", "{ref: on}", "ref is a boolean; put it in quotes"),
        ("gitlab_job_info", "{name: [build, 2.0]}", "name is the number 2.0"),
        ("gitlab_job_info", "{name: 2.0}", "name is the number 2.0"),
        ("gitlab_job_info", "{stage: no}", "stage is a boolean"),
        ("gitlab_job_info", "{api_token: 1.5}", "api_token is a number; put it in quotes"),
        ("gitlab_job_info", "{private_token: 1.5}", "private_token is a number; put it in quotes"),
        ("gitlab_pipeline", "{ref: 2.10}", "ref is the number 2.1"),
        ("gitlab_job_action", "{job_variables: {A: 1, ON: 2}}", "job_variables has a name that is a boolean"),
        ("gitlab_pipeline", "{inputs: {no: 1}}", "inputs has a name that is a boolean"),
        ("gitlab_release_gate", "{title: 1.10}", "title is the number 1.1"),
        ("gitlab_release_gate", "{projects: [{project: g/a, ref: 1.10}]}", "project 'g/a': ref is the number 1.1"),
        (
            "gitlab_release_gate",
            "{projects: [{project: g/a, gates: [{name: build}, {stage: [1.10]}]}]}",
            "gate 2 of project 'g/a': stage is the number 1.1",
        ),
    ],
)
def test_unquoted_values_of_string_options_are_refused(task, written, words):
    problem = misread_text(TASKS[task].spec.arguments, yaml.safe_load(written))
    assert problem.startswith(words) and "put it in quotes" in problem and "1.5" not in problem


@pytest.mark.parametrize(
    "written",
    [
        "{ref: '1.10', sha: 'on', stage: ['2.0']}",
        "{ref: v1.10, name: 404, job_id: 42, merge_request: 7}",
        "{wait: yes, wait_timeout: 1.5, api_timeout: 0.5, validate_certs: no}",
        "{job_variables: {VERSION: 1.5, DRY: true}, job_inputs: {level: 1.5}}",
        "{action: 1.5}",
        "{ref: null, projects: [text], gates: 7}",
    ],
)
def test_correctly_written_values_are_accepted(written):
    for task in TASKS.values():
        assert misread_text(task.spec.arguments, yaml.safe_load(written)) == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"terms": ["deploy"], "ref": 1.1}, "ref is the number 1.1; put it in quotes"),
        ({"terms": [2.0]}, "the name of a job is the number 2.0; put it in quotes"),
        ({"terms": [True]}, "the name of a job is a boolean"),
        ({"terms": ["********"]}, "the name of a job is '********', in which asterisks replace a secret"),
        ({"terms": [{"name": "deploy"}], "default": "none"}, "the name of a job is a mapping; use one value"),
        ({"terms": ["deploy"], "fields": [1.5]}, "fields is the number 1.5"),
        ({"terms": [42], "api_retries": "inf"}, "api_retries is 'inf'; use an integer"),
        ({"terms": [42], "cache_seconds": False}, "cache_seconds is a boolean; use a number of seconds"),
    ],
)
def test_misread_values_are_refused_in_lookups(options, words):
    assert words in as_lookup({"project": "group/app", **options})["msg"]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("[{project: g/a, gates: [{name: build}]}, x]", "project 2 is a string; use a mapping of options"),
        ("[null, {project: g/a}]", "project 1 is null; use a mapping of options"),
        ("[{project: g/a}, [b]]", "project 2 is a list; use a mapping of options"),
        (
            "[{project: g/a, gates: [{name: build}, deploy]}]",
            "gate 2 of project 'g/a' is a string; use a mapping of options",
        ),
        (
            "[{project: g/a, gates: [{name: build}, 7]}]",
            "gate 2 of project 'g/a' is a number; use a mapping of options",
        ),
        # Ansible converts these to mappings
        ("[{project: g/a, gates: [{name: build}, name=deploy action=play]}]", ""),
        ('[{project: g/a, gates: [{name: build}, \'{"name": "deploy"}\']}]', ""),
    ],
)
def test_entry_that_is_not_a_mapping_is_named(written, problem):
    assert misread_text(TASKS["gitlab_release_gate"].spec.arguments, {"projects": yaml.safe_load(written)}) == problem
