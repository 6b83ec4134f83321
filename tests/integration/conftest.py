# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run both ways, in Ansible's own process and as modules, and must do and report the same."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["in_process", "module"])
def run_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Select how playbooks run their tasks."""
    monkeypatch.setenv("JOBGATE_TEST_RUN_MODE", request.param)
    return str(request.param)
