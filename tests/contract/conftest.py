# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for the tests of extensions."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions import builtin as builtin_plugin

from tests.contract.fake_gitlab import FakeGitLab
from tests.contract.support import EXTENSION_EXAMPLES, Install


@pytest.fixture(name="gitlab")
def gitlab_fixture(monkeypatch: pytest.MonkeyPatch) -> FakeGitLab:
    fake = FakeGitLab()
    monkeypatch.setattr(builtin_plugin, "RequestsTransport", fake.create)
    return fake


@pytest.fixture(name="install")
def install_fixture(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Install]:
    """Provide a function that installs modules as a distribution, each with an entry point of its name."""
    site = tmp_path / "site-packages"
    info = site / "acme_gitlab_extensions-1.0.0.dist-info"
    info.mkdir(parents=True)
    names: list[str] = []

    def install(**sources: str) -> None:
        names.extend(sources)
        for name, source in sources.items():
            (site / f"{name}.py").write_text(source, encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gitlab-extensions\nVersion: 1.0.0\n")
        entries = "".join(f"{name} = {name}\n" for name in names)
        (info / "entry_points.txt").write_text(f"[jobgate.gitlab]\n{entries}")
        monkeypatch.syspath_prepend(str(site))

    yield install
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture(name="install_example")
def install_example_fixture(install: Install) -> t.Callable[[str], None]:
    return lambda name: install(**{name: (EXTENSION_EXAMPLES / f"{name}.py").read_text(encoding="utf-8")})
