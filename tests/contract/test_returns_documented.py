# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return values: the tasks return exactly the documented values."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.support import TASKS, documentation

# The return values that the contract promises, in addition to `changed`.
CONTRACT = {
    "gitlab_job_info": "jobs job pipeline summary truncated elapsed requests timed_out timeline",
    "gitlab_job_action": "jobs job pipeline results id status web_url elapsed requests queued timed_out timeline diff",
    "gitlab_job_download": "dest size sha256 job pipeline entries elapsed diff mode owner group uid gid state "
    "secontext",
    "gitlab_job_token_info": "job allowed_agents user environment pipeline project",
    "gitlab_pipeline": "pipeline id status web_url failed_jobs downstream_pipelines summary timeline elapsed requests "
    "timed_out diff",
    "gitlab_pipeline_bridges": "bridges downstream_pipelines pipeline summary graph elapsed requests timed_out "
    "timeline",
    "gitlab_pipeline_info": "pipeline failed_jobs summary variables test_report downstream_pipelines jobs elapsed "
    "requests timed_out timeline",
    "gitlab_release_gate": "outcome summary gates elapsed requests",
    "gitlab_deployment_info": "deployments deployment truncated elapsed",
    "gitlab_deployment_approval": "deployment outcome reason elapsed diff",
}
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "list": (list,),
    "dict": (dict,),
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
}


def entries(returns: t.Mapping[str, t.Any], prefix: str = "") -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Yield every documented return value, including nested ones, with its path."""
    for name, entry in returns.items():
        yield prefix + name, entry
        yield from entries(entry.get("contains", {}), f"{prefix}{name}.")


ENTRIES = [(name, path, entry) for name in sorted(TASKS) for path, entry in entries(documentation(name).returns)]


# In check mode they return a prediction as `msg`, which otherwise only failures have.
PREDICTING = {"gitlab_job_action", "gitlab_pipeline", "gitlab_deployment_approval"}


def always_returned(name: str) -> dict[str, t.Any]:
    """Return the documentation of the values that a task always returns."""
    return {key: entry for key, entry in documentation(name).returns.items() if key != "msg"}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_documented_values_match_the_returned_values(name: str) -> None:
    assert set(always_returned(name)) == set(TASKS[name].empty_result)
    assert ("msg" in documentation(name).returns) == (name in PREDICTING)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_returned_values_match_the_contract(name: str) -> None:
    assert set(TASKS[name].empty_result) == set(CONTRACT[name].split())


@pytest.mark.parametrize("name", sorted(TASKS))
def test_top_level_values_are_always_returned(name: str) -> None:
    # failures have the same keys as successes, so all values are always returned
    returned = {key: entry["returned"] for key, entry in always_returned(name).items()}
    assert returned == dict.fromkeys(returned, "always")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_empty_values_have_the_documented_type(name: str) -> None:
    returns = documentation(name).returns
    for key, value in TASKS[name].empty_result.items():
        assert value is None or isinstance(value, PYTHON_TYPES[returns[key]["type"]]), key


@pytest.mark.parametrize(("name", "path", "entry"), ENTRIES, ids=[f"{name}-{path}" for name, path, _entry in ENTRIES])
def test_entry_is_complete(name: str, path: str, entry: dict[str, t.Any]) -> None:
    assert set(entry) <= {"description", "type", "elements", "returned", "sample", "contains"}
    assert {"description", "type", "returned", "sample"} <= set(entry)
    assert ("elements" in entry) == (entry["type"] == "list")
    assert entry["sample"] is None or isinstance(entry["sample"], PYTHON_TYPES[entry["type"]])


@pytest.mark.parametrize(("name", "path", "entry"), ENTRIES, ids=[f"{name}-{path}" for name, path, _entry in ENTRIES])
def test_sample_shows_documented_fields(name: str, path: str, entry: dict[str, t.Any]) -> None:
    if not entry.get("contains"):
        return
    samples = entry["sample"] if entry["type"] == "list" else [entry["sample"]]
    for sample in samples:
        assert set(sample) <= set(entry["contains"])
