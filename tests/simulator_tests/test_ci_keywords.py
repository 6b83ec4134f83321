# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that each keyword of GitLab's reference is either supported or listed as unsupported."""

from __future__ import annotations

import pathlib

from tests.simulator.ci import keywords

# Collected from the headings of https://docs.gitlab.com/ci/yaml/ and of its pages artifacts_reports and
# deprecated_keywords, from the keys in the text below each heading, and from the properties of GitLab's JSON schema
# for editors (app/assets/javascripts/editor/schema/ci.json); not generated from the code.
REFERENCE = pathlib.Path(__file__).with_name("ci_keywords.txt")


def reference() -> set[str]:
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def test_every_keyword_of_the_reference_is_listed() -> None:
    known = keywords.FOLLOWED | keywords.NOT_FOLLOWED.keys()
    assert reference() - known == set()


def test_no_keyword_is_in_both_lists() -> None:
    assert keywords.FOLLOWED & keywords.NOT_FOLLOWED.keys() == set()


def test_every_listed_keyword_is_in_the_reference() -> None:
    assert (keywords.FOLLOWED | keywords.NOT_FOLLOWED.keys()) - reference() == set()
