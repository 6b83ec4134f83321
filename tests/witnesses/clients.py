# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The third-party clients, and how to install each into a folder of this checkout."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

HERE: t.Final = pathlib.Path(__file__).resolve().parent
CACHE: t.Final = HERE.parents[1] / ".cache"
FOLDER: t.Final = CACHE / "witnesses"

Environ = dict[str, str]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _from_python(folder: pathlib.Path, package: str) -> None:
    _run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq")
    _run(*pip, "--cache-dir", str(CACHE / "pip"), package)


def _from_npm(folder: pathlib.Path, package: str) -> None:
    quiet = ("--no-save", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error")
    _run("npm", "install", "--prefix", str(folder), "--cache", str(CACHE / "npm"), *quiet, package)


def _from_debian(folder: pathlib.Path, package: str) -> None:
    """Unpack a package and its missing dependencies, without installing anything outside of the folder."""
    lists, cache, parts = folder / "lists", folder / "cache", folder / "packages"
    for path in (lists / "partial", cache / "archives" / "partial", parts):
        path.mkdir(parents=True, exist_ok=True)
    options = (f"Dir::State::Lists={lists}", f"Dir::Cache={cache}", "Debug::NoLocking=1", "APT::Sandbox::User=")
    apt = ("apt-get", "-qq", *(word for option in options for word in ("-o", option)))
    _run(*apt, "update")
    plan = _run(*apt, "--simulate", "--no-install-recommends", "install", package)
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    subprocess.run([*apt, "download", *names], cwd=parts, check=True)
    for archive in sorted(parts.glob("*.deb")):
        _run("dpkg", "-x", str(archive), str(folder / "root"))


def _paths(root: pathlib.Path, *patterns: str) -> str:
    return os.pathsep.join(str(path) for pattern in patterns for path in sorted(root.glob(pattern)))


def _node(folder: pathlib.Path) -> Environ:
    return {"NODE_PATH": str(folder / "node_modules")}


def _perl(folder: pathlib.Path) -> Environ:
    return {"PERL5LIB": _paths(folder / "root", "usr/share/perl5", "usr/lib/*/perl5/*", "usr/share/perl/*")}


def _ruby(folder: pathlib.Path) -> Environ:
    libraries = (
        "usr/lib/ruby/vendor_ruby", "usr/lib/ruby/3.*", "usr/lib/*/ruby/3.*", "usr/lib/*/ruby/vendor_ruby/3.*",
        "usr/share/rubygems-integration/*/gems/*/lib", "usr/lib/ruby/gems/*/gems/*/lib",
    )  # fmt: skip
    root = folder / "root"
    return {"RUBYLIB": _paths(root, *libraries), "LD_LIBRARY_PATH": _paths(root, "usr/lib/*-linux-*")}


@dataclasses.dataclass(frozen=True)
class Client:
    """A third-party client.

    :param package: the package to install; Debian provides a single version.
    :param programs: programs that the machine must have.
    :param install: function that installs the package into a folder.
    :param interpreter: what runs the client's program, in the folder or on the machine.
    :param script: the client's program, in the folder of this file.
    :param environ: function that returns more environment variables for it.
    """

    name: str
    package: str
    programs: tuple[str, ...]
    install: t.Callable[[pathlib.Path, str], None]
    interpreter: str
    script: str
    environ: t.Callable[[pathlib.Path], Environ] = lambda folder: {}

    @property
    def folder(self) -> pathlib.Path:
        return FOLDER / self.script.partition(".")[0]

    def missing(self) -> list[str]:
        """Return the programs that this machine lacks."""
        return [name for name in self.programs if shutil.which(name) is None]

    def prepare(self) -> None:
        """Install the client, unless this version is already installed."""
        done = self.folder / "installed"
        if done.is_file() and done.read_text(encoding="utf-8") == self.package:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.install(self.folder, self.package)
        done.write_text(self.package, encoding="utf-8")

    def command(self) -> tuple[str, str]:
        inside = self.folder / self.interpreter
        # programs of the machine are not installed again
        return str(inside) if inside.is_file() else inside.name, str(HERE / self.script)

    def environment(self) -> Environ:
        return {**os.environ, **self.environ(self.folder)}


_DEBIAN: t.Final = ("apt-get", "dpkg")

CLIENTS: t.Final = (
    Client("gitbeaker", "@gitbeaker/rest@43.8.0", ("node", "npm"), _from_npm, "node", "gitbeaker.cjs", _node),
    Client("GitLab::API::v4", "libgitlab-api-v4-perl", ("perl", *_DEBIAN), _from_debian, "perl", "gitlab_api_v4.pl",
           _perl),
    Client("gem gitlab", "ruby-gitlab", _DEBIAN, _from_debian, "root/usr/bin/ruby", "gitlab_gem.rb", _ruby),
    Client("gidgetlab", "gidgetlab[aiohttp]==2.1.2", (), _from_python, "bin/python", "gidgetlab_client.py"),
)  # fmt: skip
