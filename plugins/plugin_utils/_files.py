# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about a file, with the keys that Ansible's modules return."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import typing as t

# This path exists if SELinux is in use; then tasks with files run as modules.
_SELINUX = "/sys/fs/selinux/enforce"


def has_selinux() -> bool:
    """Return whether files have SELinux contexts, which must be kept."""
    return os.path.exists(_SELINUX)


def file_facts(path: str) -> dict[str, t.Any]:
    """Return permissions, owner and kind of a file; nothing if it does not exist, as in check mode."""
    try:
        # modules return no facts about a broken link
        os.stat(path)
        found = os.lstat(path)
    except OSError:
        return {}
    state = "link" if stat.S_ISLNK(found.st_mode) else "hard" if found.st_nlink > 1 else "file"
    return {
        "mode": f"0{stat.S_IMODE(found.st_mode):03o}",
        "uid": found.st_uid,
        "gid": found.st_gid,
        "owner": _name(pwd.getpwuid, found.st_uid),
        "group": _name(grp.getgrgid, found.st_gid),
        "state": state,
    }


def _name(look_up: t.Callable[[int], t.Any], number: int) -> str:
    """Return the name of a user or group, or its number if it has no name."""
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)
