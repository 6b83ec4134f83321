# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A release as JUnit XML: a suite for each project, a test case for each gate, as GitLab and Jenkins show them.

Source: https://docs.gitlab.com/ci/testing/unit_test_reports/
"""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET

from ..._api.decoding import Record
from ..fields import seconds_of
from .gates import is_shut, jobs_of, log_tails
from .parts import is_web_address, release_name

# Characters that XML cannot contain, escaped or not. Source: https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(record: Record) -> str:
    """Return the XML for a record, see `make_record`."""
    projects = record["projects"]
    gates = [gate for project in projects for gate in project["gates"]]
    root = _element(None, "testsuites", name=release_name(record), **_counts(gates), time=_time(record["elapsed"]))
    for project in projects:
        _suite(root, project, record)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, project: Record, record: Record) -> None:
    elapsed = sum(seconds_of(gate["elapsed"]) or 0.0 for gate in project["gates"])
    suite = _element(
        root,
        "testsuite",
        name=project["name"],
        **_counts(project["gates"]),
        time=_time(elapsed),
        timestamp=str(record["started_at"] or "").partition(".")[0],
    )
    for gate in project["gates"]:
        _case(suite, gate, project)


def _case(suite: ET.Element, gate: Record, project: Record) -> None:
    name = f"{gate['action']} {gate['name']}"
    case = _element(suite, "testcase", classname=project["name"], name=name, time=_time(gate["elapsed"]))
    if _has_failed(gate):
        failure = _element(case, "failure", message=gate["reason"], type=gate["outcome"])
        links = [f"{job['path']}: {job['web_url']}" for job in gate["jobs"] if is_web_address(job.get("web_url"))]
        failure.text = _clean("\n".join((gate["reason"], *links)))
    elif not _has_run(gate):
        _element(case, "skipped", message=gate["reason"] or gate["outcome"])
    lines = [line for _job, tail in log_tails(gate, jobs_of(gate, project)) for line in tail]
    # an optional gate that did not open is not a failure of the release, but its reason is worth showing
    about = [gate["reason"]] if is_shut(gate) and not _has_failed(gate) else []
    if about or lines:
        _element(case, "system-out").text = _clean("\n".join((*about, *lines)))


def _has_failed(gate: Record) -> bool:
    return is_shut(gate) and gate["require"] != "optional"


def _has_run(gate: Record) -> bool:
    return gate["outcome"] != "not reached" and not str(gate["outcome"]).startswith("would ")


def _counts(gates: t.Sequence[Record]) -> dict[str, str]:
    return {
        "tests": str(len(gates)),
        "failures": str(sum(map(_has_failed, gates))),
        "errors": "0",
        "skipped": str(sum(not _has_run(gate) for gate in gates)),
    }


def _time(value: t.Any) -> str:
    return f"{seconds_of(value) or 0.0:.3f}"


def _element(parent: ET.Element | None, tag: str, **attributes: str) -> ET.Element:
    clean = {name: _clean(value) for name, value in attributes.items()}
    return ET.Element(tag, clean) if parent is None else ET.SubElement(parent, tag, clean)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
