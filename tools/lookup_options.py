# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the definitions of the lookup's options, as Ansible would read them out of its documentation."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "plugins" / "plugin_utils" / "_lookup_options.py"
LOOKUP = "jobgate.gitlab.gitlab_job"

# What is for people only.
_FOR_PEOPLE = ("description", "version_added", "version_added_collection")
_HEAD = '''# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Options of the lookup, made from its documentation by `make lookup-options`; change that instead."""

from __future__ import annotations

import typing as t

'''


def definitions() -> dict[str, dict[str, t.Any]]:
    """Return the options with what Ansible needs to find their values."""
    program = pathlib.Path(sys.executable).with_name("ansible-doc")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections")}
    command = [str(program), "--json", "--type", "lookup", LOOKUP]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    options = json.loads(done.stdout)[LOOKUP]["doc"]["options"]
    return {
        name: {key: value for key, value in sorted(option.items()) if key not in _FOR_PEOPLE}
        for name, option in sorted(options.items())
    }


def main() -> None:
    """Write the file."""
    text = f"{_HEAD}OPTIONS: dict[str, dict[str, t.Any]] = {definitions()!r}\n"
    formatted = subprocess.run(
        ["ruff", "format", "-"], input=text, capture_output=True, text=True, check=True, cwd=ROOT
    )
    TARGET.write_text(formatted.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
