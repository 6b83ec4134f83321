# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release as JUnit XML, as programs read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.junit import render_junit

from .records import a_gate, a_job, a_project, a_record


def test_gates_are_test_cases_of_their_projects():
    broken = a_job(2, status="failed", log_tail=["no space", "exit 1"])
    gates = [
        a_gate(),
        a_gate(name="test", action="wait", outcome="failed", reason="it broke", jobs=[broken]),
        a_gate(name="docs", outcome="timed out", require="optional", reason="too late", jobs=[]),
        a_gate(name="publish", outcome="not reached", reason="test failed", jobs=[], elapsed=0.0),
    ]
    root = ET.fromstring(render_junit(a_record(a_project(gates=gates, jobs=[broken]), title="Version 1.2.0")))
    assert (root.tag, root.get("name"), root.get("time")) == ("testsuites", "Version 1.2.0", "62.000")
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "0", "1"]
    (suite,) = root
    assert (suite.get("name"), suite.get("timestamp")) == ("app", "2026-01-01T00:00:00")
    played, failed, optional, missed = suite
    assert (played.get("classname"), played.get("name"), played.get("time"), len(played)) == (
        "app",
        "play deploy",
        "61.500",
        0,
    )
    assert failed.find("failure").attrib == {"message": "it broke", "type": "failed"}
    assert failed.find("failure").text == "it broke\njob2: https://gitlab.example.com/g/a/-/jobs/2"
    assert failed.find("system-out").text == "no space\nexit 1"
    assert [child.tag for child in optional] == ["system-out"] and optional[0].text == "too late"
    assert [(child.tag, child.get("message")) for child in missed] == [("skipped", "test failed")]


def test_characters_that_xml_forbids_are_replaced():
    name = "<a&\"'> \x00\x1b\ufffe\ud800 ]]>"
    log = ["]]> <b> \x08"]
    gate = a_gate(name=name, outcome="failed", reason=name, log_tail=log, jobs=[])
    root = ET.fromstring(render_junit(a_record(a_project(name=name, gates=[gate]))))
    clean = "<a&\"'> \ufffd\ufffd\ufffd\ufffd ]]>"
    assert root[0].get("name") == clean
    assert root[0][0].find("system-out").text == "]]> <b> \ufffd"
