# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks and tools: `nox --list` lists them; `make SESSION` creates .venv if necessary and runs one.

Sessions run in the environment where nox is installed, .venv. Sessions whose tools cannot be installed there have their
own environment in .nox. No session writes outside the checkout.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import nox
import yaml

ROOT: t.Final = pathlib.Path(__file__).resolve().parent
CACHE: t.Final = ROOT / ".cache"
BUILD: t.Final = ROOT / "build"
GALAXY: t.Final = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
PLACE: t.Final = pathlib.Path("ansible_collections", GALAXY["namespace"], GALAXY["name"])
COLLECTION: t.Final = f"{GALAXY['namespace']}.{GALAXY['name']}"

# The checks that every change must pass, and all checks.
TEST: t.Final = ("lint", "tests", "sanity")
CHECK: t.Final = (
    "test",
    "hostile",
    "oldest",
    "units",
    "coverage",
    "install",
    "eda",
    "changelog",
    "docs",
    "importer",
    "molecule",
    "antsibull",
    "second_opinion",
    "matrix",
    "witnesses",
)

LINT: t.Final = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "-p", f"ansible_collections.{COLLECTION}.plugins"),
    ("mypy", "--strict", "extensions/eda"),
    ("yamllint", "--strict", "."),
    ("ansible-lint", "--offline"),
    ("shellcheck", ".ci/run", "tools/demo.sh", "tools/demo_events.sh", "tools/pictures.sh"),
    ("antsibull-changelog", "lint"),
    ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", "."),
    ("reuse", "lint", "--lines"),
)
# Sessions of antsibull-nox; antsibull-nox.toml configures them.
ANTSIBULL: t.Final = (
    "formatters",
    "codeqa",
    "yamllint",
    "typing",
    "docs-check",
    "license-check",
    "build-import-check",
    "ansible-lint",
)
# Added to the configuration of Sphinx: without a network, it cannot resolve references to other projects.
DOCS_CONF: t.Final = r"""
intersphinx_mapping = {}
nitpick_ignore_regex = [("std:ref", r"(?!ansible_collections\.jobgate\.).*")]
html_static_path = ["phone.css"]
html_css_files = ["phone.css"]
"""
# The theme does not wrap the text of tables on a narrow screen.
DOCS_CSS: t.Final = ".wy-table-responsive table td, .wy-table-responsive table th { white-space: normal }\n"
# For each version of ansible-core: its Python, its requirement for pip, and options of `ansible-test sanity`. 2.19 is
# missing because requirements-dev.txt installs it.
MATRIX: t.Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "2.18": ("3.11", "~=2.18.0", ()),
    "2.20": ("3.12", "~=2.20.0", ()),
    "2.21": ("3.13", "~=2.21.0", ()),
    # the pylint version of the release candidate is not in the package index
    "2.22": ("3.13", "==2.22.0rc1", ("--skip-test", "pylint")),
}
# Packages that the tests need in addition to ansible-core, in the versions of the requirements files.
MATRIX_PACKAGES: t.Final = (
    "aiohttp",
    "hypothesis",
    "pluggy",
    "pytest",
    "pytest-xdist",
    "python-gitlab",
    "PyYAML",
    "requests",
    "responses",
)

# There are more workers than cores because playbooks are idle while they wait. Idle workers steal tests because some
# tests take a hundred times as long as others.
PYTEST: t.Final = ("pytest", "-q", "-n", "4", "--dist", "worksteal")

nox.options.sessions = ["test"]
nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True
os.environ.setdefault("PIP_CACHE_DIR", str(CACHE / "pip"))
# nox caches the Pythons it finds there
os.environ["XDG_CACHE_HOME"] = str(CACHE / "xdg")
# The matrix needs the folders of pyenv: its programs on PATH fail for versions that are not enabled.
PYENV: t.Final = pathlib.Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
os.environ["PATH"] = os.pathsep.join(
    [os.path.dirname(sys.executable), os.environ["PATH"], *map(str, sorted(PYENV.glob("versions/3.*/bin")))]
)


# The environment of the commands


def environment(session: nox.Session) -> dict[str, str | None]:
    """Return the environment variables for every command."""
    programs = (session.bin_paths or [os.path.dirname(sys.executable)])[0]
    return {
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE / "collections"),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "ANSIBLE_ASYNC_DIR": str(CACHE / "ansible" / "async"),
        "ANSIBLE_REMOTE_TEMP": str(CACHE / "ansible" / "tmp"),
        # interpreter discovery may find a Python without requests
        "ANSIBLE_PYTHON_INTERPRETER": os.path.join(programs, "python"),
    }


def run(session: nox.Session, *command: str, **more: str | None) -> None:
    """Run a command. Keyword arguments set more environment variables, or remove one if None."""
    session.run(*command, env=environment(session) | more, external=True)


def shown(session: nox.Session, log: str, *command: str, **more: str | None) -> str:
    """Run a command and return its output, which is also shown and written to .cache."""
    path = CACHE / log
    run(session, "bash", "-o", "pipefail", "-c", '"$@" 2>&1 | tee "$0"', str(path), *command, **more)
    return path.read_text(encoding="utf-8")


def python_version(session: nox.Session) -> str:
    """Return the Python version of the session, such as 3.11."""
    return session.python if isinstance(session.python, str) else f"{sys.version_info.major}.{sys.version_info.minor}"


def scratch_home() -> str:
    """Return a home folder for programs that write to it, with the user's pip configuration."""
    home = CACHE / "home"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    # otherwise ansible-test downloads this file from its own server
    for version in ("24_2", "25_2"):
        shutil.copy(ROOT / "tools" / "get_pip.py", cache / f"get_pip_{version}.py")
    for name in (".config/pip/pip.conf", ".pip/pip.conf"):
        source, link = pathlib.Path.home() / name, home / name
        if source != link:
            link.unlink(missing_ok=True)
            if source.is_file():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(source)
    return str(home)


def copied_to(folder: str) -> pathlib.Path:
    """Copy the checkout under its collection name, and return the path of the copy.

    ansible-test requires this path. The copy is a separate repository because ansible-test skips files git ignores.
    """
    copy = CACHE / folder / PLACE
    shutil.rmtree(copy, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "-co", "--exclude-standard", "--deduplicate"]
    for name in subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    return copy


def ansible_test(session: nox.Session, command: str, *options: str) -> str:
    """Run ansible-test and return its output."""
    version = python_version(session)
    with session.chdir(copied_to("ansible-test")):
        line = ("ansible-test", command, *options, "--python", version, "--color", "no")
        output = shown(session, f"{command}-{version}.log", *line, HOME=scratch_home())
    if "All targets skipped" in output:
        session.error("ansible-test skipped all targets.")
    return output


def pytest(session: nox.Session, *options: str, **more: str | None) -> None:
    """Run pytest."""
    run(session, *PYTEST, *options, *session.posargs, **more)


def pinned(*names: str) -> list[str]:
    """Return these packages with the versions of the requirements files."""
    files = [ROOT / f"requirements-{name}.txt" for name in ("demo", "events", "dev")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.partition("==")[0] in names]


# The sessions


@nox.session(venv_backend="none", requires=TEST)
def test(session: nox.Session) -> None:
    """Run the checks that every change must pass."""


@nox.session(venv_backend="none", requires=CHECK)
def check(session: nox.Session) -> None:
    """Run all checks (longer)."""


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Run ruff, mypy, yamllint, ansible-lint, shellcheck, and check changelog, documentation and licences."""
    home = scratch_home()
    for command in LINT:
        run(session, *command, **({"HOME": home} if command[0] == "antsibull-docs" else {}))


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run all tests, or some: `-- tests/unit -k masking`."""
    if "token-0123456789" in shown(session, "tests.log", *PYTEST, *session.posargs):
        session.error("The output of the tests contains a token.")


@nox.session(venv_backend="none")
def install(session: nox.Session) -> None:
    """Install the wheel with one `pip install` in a new environment, and test it."""
    run(session, "pytest", "-q", "tests/packaging", "-m", "fresh")


@nox.session(venv_backend="none")
def coverage(session: nox.Session) -> None:
    """Measure the line and branch coverage of the inner folders by unit and contract tests."""
    report = str(CACHE / "coverage.json")
    pytest(session, "tests/unit", "tests/contract", "--cov", "--cov-report=", f"--cov-report=json:{report}")
    run(session, "python", "tools/check_coverage.py", report)


@nox.session(venv_backend="none")
def sanity(session: nox.Session) -> None:
    """Run ansible-test sanity."""
    ansible_test(session, "sanity", *session.posargs)


@nox.session(venv_backend="none")
def units(session: nox.Session) -> None:
    """Run ansible-test units."""
    output = ansible_test(session, "units", "--venv", *session.posargs)
    # it exits with 0 even if its workers crash
    if " passed" not in output or "no tests ran" in output or "crashed workers" in output:
        session.error("ansible-test units did not run the tests.")


@nox.session(venv_backend="none")
def matrix(session: nox.Session) -> None:
    """Run `core` with every version of ansible-core whose Python is installed."""
    missing = {
        version: python for version, (python, _core, _options) in MATRIX.items() if not shutil.which(f"python{python}")
    }
    for version, python in missing.items():
        session.warn(f"SKIPPED: ansible-core {version} because Python {python} is not installed.")
    if len(missing) == len(MATRIX):
        session.error("No Python for any version of ansible-core is installed.")
    for version in MATRIX.keys() - missing.keys():
        session.notify(f"core({version})")


@nox.session
@nox.parametrize("python,core,sanity_options", [nox.param(*row, id=version) for version, row in MATRIX.items()])
def core(session: nox.Session, core: str, sanity_options: tuple[str, ...]) -> None:
    """Run the tests and ansible-test sanity with another version of ansible-core: `core(2.22)`."""
    session.install(f"ansible-core{core}", *pinned(*MATRIX_PACKAGES))
    pytest(session, "tests/unit", "tests/contract", "tests/integration")
    ansible_test(session, "sanity", *sanity_options)


@nox.session
def eda(session: nox.Session) -> None:
    """Test hooks, rules and playbooks with ansible-rulebook (requires Java)."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        session.skip("Java is not installed. ansible-rulebook needs version 17 or newer: install it, or set JAVA_HOME")
    # install the collection with pip as users do; the tests also install it with ansible-galaxy
    packages = pinned("ansible-rulebook", "hatchling", *MATRIX_PACKAGES)
    session.install("ansible-core~=2.19.0", *packages, ".[eda]")
    pytest(session, "tests/eda", "-m", "rulebook")


@nox.session(venv_backend="none")
def witnesses(session: nox.Session) -> None:
    """Call the simulator with third-party GitLab clients: `-- gitbeaker`."""
    run(session, "python", "-m", "tests.witnesses", *session.posargs)


@nox.session(venv_backend="none")
def molecule(session: nox.Session) -> None:
    """Test the role and its scenarios against the simulator, without containers."""
    run(session, "molecule", "test", "--all", *session.posargs)


@nox.session(venv_backend="none")
def faults(session: nox.Session) -> None:
    """Run the whole fault matrix and random sequences of faults: `-- --sequences 100 --seed 1`."""
    run(session, "python", "-m", "tests.faults", "--sequences", "10000", *session.posargs)
    run(session, *PYTEST, "tests/faults/test_races.py", JOBGATE_FAULT_ROUNDS="10")


@nox.session(name="check-live", venv_backend="none")
def check_live(session: nox.Session) -> None:
    """Test against a real GitLab, token in GITLAB_TOKEN: `-- --url URL --project group/app --ref main`."""
    run(session, "python", "-m", "tests.live", *session.posargs)


@nox.session(venv_backend="none")
def hostile(session: nox.Session) -> None:
    """Test every plugin with every hostile answer, and waits of a day (half an hour): `-- -k redirect`."""
    pytest(session, "tests/hostile", JOBGATE_HOSTILE="whole")


@nox.session(python="3.9")
def oldest(session: nox.Session) -> None:
    """Test the modules with the oldest supported Python and requests against hostile answers."""
    session.install("ansible-core~=2.15.0", "requests==2.25.1", "pluggy", "pytest~=8.4", "pytest-xdist", "PyYAML")
    pytest(session, "tests/hostile")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Compare the speed with other tools in a long table: `-- --rounds 5 --only 1a,2a`."""
    run(session, "python", "-m", "tests.benchmarks.speed", "--rounds", "5", *session.posargs)


@nox.session(name="bench-release", venv_backend="none")
def bench_release(session: nox.Session) -> None:
    """Count the requests of releases with many projects: `-- --projects 500 --build 60`."""
    run(session, "python", "-m", "tests.benchmarks.release", *session.posargs)


@nox.session(name="bench-faults", venv_backend="none")
def bench_faults(session: nox.Session) -> None:
    """Compare with python-gitlab and ansible.builtin.uri under the same faults: `-- --quick`."""
    run(session, "python", "-m", "tests.benchmarks.faults", *session.posargs)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Build the HTML documentation in build/docs/build/html; warnings are errors."""
    folder = BUILD / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    home = scratch_home()
    names = ("--project", COLLECTION, "--title", COLLECTION, "--copyright", f"the {COLLECTION} contributors")
    options = ("--use-current", "--squash-hierarchy", "--dest-dir", str(folder), *names)
    run(session, "antsibull-docs", "sphinx-init", *options, COLLECTION, HOME=home)
    with (folder / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(DOCS_CONF)
    (folder / "phone.css").write_text(DOCS_CSS, encoding="utf-8")
    run(session, str(folder / "build.sh"), HOME=home)


@nox.session(venv_backend="none")
def package(session: nox.Session) -> None:
    """Build the tarball in build/."""
    run(session, "ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILD), ".")


@nox.session(venv_backend="none")
def wheel(session: nox.Session) -> None:
    """Build the wheel in build/."""
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
    run(session, "python", "-m", "pip", "wheel", *options, "--wheel-dir", str(BUILD), ".")


@nox.session(venv_backend="none")
def changelog(session: nox.Session) -> None:
    """Check that a release is possible now."""
    # in a copy because a release deletes the fragments
    with session.chdir(copied_to("release")):
        version = GALAXY["version"]
        command = ("antsibull-changelog", "release", "--version", version, "--date", "2026-01-01")
        run(session, *command, ANSIBLE_COLLECTIONS_PATH=None)
        run(session, "grep", "-q", version, "CHANGELOG.md")
        run(session, "antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")


@nox.session(venv_backend="none")
def release(session: nox.Session) -> None:
    """Build tarball and wheel of the current commit if tag, galaxy.yml and changelog match; see RELEASING.md."""
    run(session, "python", "tools/check_release.py")
    for name in ("package", "wheel", "importer"):
        session.notify(name)


@nox.session(requires=["package"])
def importer(session: nox.Session) -> None:
    """Run the checks of Galaxy's upload on the tarball."""
    session.install("galaxy-importer==0.4.44", "ansible-core~=2.19.0", *pinned("pluggy", "requests"))
    tarball = BUILD / f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"
    (CACHE / "importer").mkdir(exist_ok=True)
    with session.chdir(CACHE / "importer"):
        command = ("python", "-m", "galaxy_importer.main", str(tarball))
        output = shown(session, "importer.log", *command, ANSIBLE_COLLECTIONS_PATH=None)
    # it exits with 0 whatever it finds
    bad = [line for line in output.splitlines() if line.startswith(("ERROR", "WARNING", "Traceback"))]
    if bad or "Importer processing completed successfully" not in output:
        session.error("galaxy-importer reported problems.")


@nox.session
def second_opinion(session: nox.Session) -> None:
    """Compare rules and hook signatures of the simulator with cimulator and standardwebhooks."""
    session.install("cimulator==0.2.0", "standardwebhooks==1.1.0", *pinned("pytest", "PyYAML"))
    # without conftest.py, which imports Ansible
    run(session, "python", "-m", "pytest", "-q", "--noconftest", "tests/second_opinion", *session.posargs)


@nox.session(venv_backend="none")
def antsibull(session: nox.Session) -> None:
    """Run the sessions of antsibull-nox: `-- formatters typing`."""
    sessions = session.posargs or ANTSIBULL
    # in a separate file because antsibull-nox also has a session named lint
    command = ("nox", "-R", "-f", "antsibull_noxfile.py", "-e", *sessions)
    run(session, *command, HOME=scratch_home(), ANSIBLE_COLLECTIONS_PATH=None)


@nox.session(venv_backend="none")
def endpoints(session: nox.Session) -> None:
    """Write the table of endpoints in docs/docsite/rst/endpoints.rst from the catalogue."""
    run(session, "python", "tools/endpoints_table.py")


@nox.session(venv_backend="none")
def schema(session: nox.Session) -> None:
    """Write the JSON schema of the gates, for editors, from the options of the role."""
    run(session, "python", "tools/projects_schema.py")


@nox.session(venv_backend="none")
def pictures(session: nox.Session) -> None:
    """Take the pictures of the README from a run of the demo (requires chromium)."""
    run(session, "tools/pictures.sh", sys.prefix)
