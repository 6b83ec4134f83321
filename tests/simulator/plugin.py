# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pytest plugin of the wheel: the fixture `gitlab_simulator`.

pytest loads it in every environment that has the wheel, even without the extra `simulator`. Therefore it does not
import the simulator until a test requests the fixture.
"""

from __future__ import annotations

import collections.abc as c
import typing as t

import pytest

if t.TYPE_CHECKING:
    from .fixture import Simulator


@pytest.fixture(scope="session")
def gitlab_simulator_server() -> c.Iterator[Simulator]:
    """One server for all tests of a process."""
    try:
        from .fixture import Simulator
    except ModuleNotFoundError as error:
        pytest.fail(
            f"gitlab_simulator: {error.name} is missing. Run: pip install 'jobgate-gitlab[simulator]'", pytrace=False
        )
    with Simulator() as running:
        yield running


@pytest.fixture
def gitlab_simulator(gitlab_simulator_server: Simulator) -> Simulator:
    """Return a simulated GitLab server with an empty world; a test loads its own scenario."""
    gitlab_simulator_server.reset()
    return gitlab_simulator_server
