# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real playbooks run both ways: in Ansible's own process, and as modules. Both have to do and to say the same."""

from __future__ import annotations

import pytest

BOTH_WAYS = ("test_approval_playbooks", "test_errors", "test_playbooks")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in BOTH_WAYS:
        metafunc.fixturenames.append("way")
        metafunc.parametrize("way", ["in_process", "module"], indirect=True)


@pytest.fixture
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose how the tasks of playbooks run."""
    monkeypatch.setenv("JOBGATE_TEST_WAY", request.param)
    return str(request.param)
