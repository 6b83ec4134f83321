# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the problems that prevent a release of the current commit: `check_release.py [FOLDER]`; see RELEASING.md."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import yaml


def problems(root: pathlib.Path) -> list[str]:
    """Return one sentence per problem; empty if the commit can be released."""
    version = str(_yaml(root / "galaxy.yml")["version"])
    found = []
    tags = _git(root, "tag", "--points-at", "HEAD").split()
    if not tags:
        found.append(f"The commit has no tag; the version in galaxy.yml is {version}.")
    elif version not in tags:
        found.append(f"The commit has the tag {', '.join(tags)}, but the version in galaxy.yml is {version}.")
    changed = _git(root, "status", "--porcelain").splitlines()
    if changed:
        found.append(f"{len(changed)} files are not committed, such as {changed[0][3:]}.")
    if version not in (_yaml(root / "changelogs" / "changelog.yaml").get("releases") or {}):
        found.append(f"changelogs/changelog.yaml has no release {version}; run antsibull-changelog release.")
    if f"## v{version}" not in (root / "CHANGELOG.md").read_text(encoding="utf-8").replace("\\", ""):
        found.append(f"CHANGELOG.md does not contain {version}.")
    fragments = sorted(path.name for path in (root / "changelogs" / "fragments").glob("*.y*ml"))
    if fragments:
        found.append(f"changelogs/fragments still has {', '.join(fragments[:3])}; run antsibull-changelog release.")
    return found


def _yaml(path: pathlib.Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _git(root: pathlib.Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    lines = problems(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(lines) or "The commit can be released.")
    sys.exit(bool(lines))
