# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sessions of antsibull-nox. `make check-nox` runs them in an environment of their own; see antsibull-nox.toml."""

from __future__ import annotations

import shutil
import sys

import antsibull_nox
import nox

CONTROLLER_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

antsibull_nox.load_antsibull_nox_toml()


def drop_scratch() -> None:
    """Remove what ansible-test leaves: antsibull-nox 1.10.0 cannot copy folders that are nested this deep."""
    shutil.rmtree("tests/output/.tmp", ignore_errors=True)


# Not by the configuration file: its sessions install ansible-core from git, and run in containers.
antsibull_nox.add_ansible_test_session(
    name="sanity",
    description="ansible-test sanity",
    default=False,
    ansible_core_version="2.19",
    ansible_core_source="pypi",
    ansible_test_params=["sanity", "-v", "--python", CONTROLLER_PYTHON],
    callback_after=drop_scratch,
)
antsibull_nox.add_ansible_test_session(
    name="units",
    description="ansible-test units",
    default=False,
    ansible_core_version="2.19",
    ansible_core_source="pypi",
    ansible_test_params=["units", "-v", "--venv", "--python", CONTROLLER_PYTHON],
    callback_after=drop_scratch,
)

if __name__ == "__main__":
    nox.main()
