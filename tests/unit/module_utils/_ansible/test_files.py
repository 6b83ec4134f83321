# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New files have the SELinux context that the policy has for them, where SELinux is in use."""

from __future__ import annotations

import types

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible import files


@pytest.mark.parametrize(("enabled", "found", "is_labelled"), [(1, 0, True), (1, -1, False), (0, 0, False)])
def test_the_context_of_a_new_file(monkeypatch, enabled, found, is_labelled):
    labels = []
    monkeypatch.setattr(
        files,
        "SELINUX",
        types.SimpleNamespace(
            is_selinux_enabled=lambda: enabled,
            matchpathcon=lambda path, mode: [found, f"context of {path}"],
            lsetfilecon=lambda path, context: labels.append((path, context)),
        ),
    )
    files.AnsibleFiles().label("/etc/.part", "/etc/x")
    assert labels == ([("/etc/.part", "context of /etc/x")] if is_labelled else [])


def test_without_the_library_there_is_nothing_to_do(monkeypatch):
    monkeypatch.setattr(files, "SELINUX", None)
    files.AnsibleFiles().label("/etc/.part", "/etc/x")
