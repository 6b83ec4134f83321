# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a plain checkout importable as ansible_collections.jobgate.gitlab, and configure Hypothesis for any machine."""

from __future__ import annotations

import importlib.util
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent


def link_checkout() -> str:
    """Return the folder that holds ansible_collections with a symbolic link to this checkout."""
    lines = (ROOT / "galaxy.yml").read_text(encoding="utf-8").splitlines()
    info = dict(line.split(":", 1) for line in lines if line.startswith(("namespace:", "name:")))
    collections = ROOT / ".cache" / "collections"
    link = collections / "ansible_collections" / info["namespace"].strip() / info["name"].strip()
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        try:
            link.symlink_to("../../../..", target_is_directory=True)
        except FileExistsError:  # another worker was faster
            pass
    return str(collections)


if importlib.util.find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    # Always the same examples, without a database. Durations mean nothing on a busy machine.
    settings.register_profile(
        "any machine",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    settings.load_profile("any machine")

# An ansible_collections tree (ansible-test) needs no link, and the environment must not change:
# ansible-test reads ANSIBLE_COLLECTIONS_PATH as one path. There, pytest also refuses pytest_plugins in this file,
# because the file is not in its root directory.
if ROOT.parent.parent.name != "ansible_collections":
    COLLECTIONS = link_checkout()
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = COLLECTIONS

    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([COLLECTIONS])

    if importlib.util.find_spec("aiohttp") and (ROOT / "tests" / "simulator" / "fixture.py").is_file():
        pytest_plugins = ["tests.simulator.fixture", "tests.simulator.plugin"]
