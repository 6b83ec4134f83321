# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real playbooks run both ways: in Ansible's own process, and as modules. Both have to do and to say the same."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["in_process", "module"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose how the tasks of playbooks run."""
    monkeypatch.setenv("JOBGATE_TEST_WAY", request.param)
    return str(request.param)
