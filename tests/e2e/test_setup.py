"""How tools/setup.sh handles other systems, which are simulated by programs with the same names and
output as theirs. Nothing is installed."""
import contextlib
import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

# The packages in the archives, in the format of apt-cache policy.
BOOKWORM = {"ninja-build": "1.11.1-2", "libavif-dev": "0.11.1-1+deb12u1",
            "libssl-dev": "3.0.17-1", "meson": "1.0.1-5", "libspng-dev": "0.7.3-3",
            "nodejs": "18.20.4+dfsg-1", "python3": "3.11.2-1", "clang": "1:14.0-55.7",
            "chromium": "156.0-1", "libclang-rt-dev": "1:14.0-55.7", "prometheus": "2.42.0"}
TRIXIE = {"ninja-build": "1.12.1-1", "libavif-dev": "1.2.1-1.2",
          "libssl-dev": "3.5.9-1", "meson": "1.7.0-1", "libspng-dev": "0.7.4-2",
          "nodejs": "20.19.2", "python3": "3.13.5-1", "clang": "1:19.0-63", "chromium": "156.0-1",
          "libclang-rt-dev": "1:19.0-63", "prometheus": "2.53.3", "promtool": "2.53.3"}


def ubuntu(release):
    """name -> version in an archive of Ubuntu's, from ubuntu.txt."""
    rows = [line.split() for line in (ROOT / "tests/e2e/ubuntu.txt").read_text().splitlines()
            if not line.startswith("#")]
    versions = {row[0]: row[1 + release] for row in rows}
    return {name: version for name, version in versions.items() if version != "-"}


JAMMY, NOBLE = ubuntu(0), ubuntu(1)
PLAYED = ["qemu-user", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "ccache"]


@pytest.fixture
def system(tmp_path):
    """Runs a piece of the set-up as if on another system."""
    def run(script, name, packages, machine="x86_64", glibc="2.36", without=()):
        folder = tmp_path / "bin"
        folder.mkdir()
        policy = "".join(f"{package}) echo '  Candidate: {version}' ;;\n"
                         for package, version in packages.items())
        programs = {
            "uname": f"echo {machine}", "getconf": f"echo glibc {glibc}", "apt-get": "exit 9",
            "apt-cache": f"case $2 in\n{policy}*) echo '  Candidate: (none)' ;; esac",
            "dpkg-query": "exit 1"}
        for program, text in programs.items():
            if program not in without:
                (folder / program).write_text(f"#!/bin/sh\n{text}\n")
                (folder / program).chmod(0o755)
        for program in ("sed", "awk", "sort", "head", "grep", "cut", "tr", "bash", "cat", "sh"):
            (folder / program).symlink_to(f"/usr/bin/{program}")
        (tmp_path / "os-release").write_text(f'PRETTY_NAME="{name}"\n')
        parts = "; ".join(f". tools/setup/{part}.sh"
                          for part in ("system", "packages", "pypi", "tests"))
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail; python=python3; {parts}; {script}"], cwd=ROOT,
            capture_output=True, text=True, timeout=30,
            env={"PATH": str(folder), "LACQUER_OS_RELEASE": str(tmp_path / "os-release")})
    return run


CHOSEN = """check_system; choose_sources test
echo "meson=$meson_from_pypi spng=$spng_from_pypi node=$node_from_pypi $python"
"""


@pytest.mark.parametrize("name, packages, glibc, chosen, said", [
    ("Debian GNU/Linux 12 (bookworm)", BOOKWORM, "2.36", "meson= spng= node= python3", []),
    ("Debian GNU/Linux 13 (trixie)", TRIXIE, "2.41", "meson= spng= node= python3", []),
    ("Ubuntu 24.04.3 LTS", NOBLE, "2.39", "meson= spng= node= python3", []),
    ("Ubuntu 22.04.5 LTS", JAMMY, "2.35", "meson=1 spng=1 node=1 python3.11",
     ["meson 0.61.2-1 (Lacquer needs 1.0): taking PyPI's",
      "ninja 1.10.1-1 (Lacquer needs 1.11): taking PyPI's", "no libspng in this archive",
      "Node 12.22.9~dfsg-1ubuntu3 (the tests need 18)", "taking python3.11 for them"])])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_old_packages_are_replaced_by_pypis(system, name, packages, glibc, chosen, said, machine):
    done = system(CHOSEN, name, packages, machine, glibc)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == chosen
    assert all(text in done.stderr for text in said)
    assert len(done.stderr.splitlines()) == len(said)


@pytest.mark.parametrize("machine, glibc, packages, without, said", [
    ("armv7l", "2.36", BOOKWORM, (), ["a 32-bit system", "64-bit"]),
    ("riscv64", "2.41", TRIXIE, (), ["no OpenVINO for this processor"]),
    ("aarch64", "2.31", {}, (), ["OpenVINO needs glibc 2.35 and this is 2.31", "Debian 12"]),
    ("x86_64", "2.31", {"libssl-dev": "1.1.1w-0"}, (), ["its OpenSSL is 1.1.1w-0", "Debian 12"]),
    ("x86_64", "2.35", {"libavif-dev": "0.8.4-2"}, (), ["its libavif is 0.8.4-2", "Ubuntu 22.04"]),
    ("x86_64", "2.41", {}, ("apt-get",), ["no apt-get here", "the container"]),
    ("x86_64", "2.36", {**BOOKWORM, "python3": "3.9.2"}, (), ["Python 3.9.2 is too old"])])
def test_an_unsupported_system_is_reported_first(system, machine, glibc, packages, without, said):
    done = system(CHOSEN, "Some System 1", packages, machine, glibc, without)
    assert done.returncode == 1 and done.stdout == ""
    assert all(text in done.stderr for text in said), done.stderr


@pytest.mark.parametrize("packages, names", [
    (BOOKWORM, ["chromium", *PLAYED, "clang", "libclang-rt-dev", "prometheus"]),
    (TRIXIE, ["chromium", *PLAYED, "clang", "libclang-rt-dev", "promtool"]),
    (JAMMY, [*PLAYED, "clang", "libclang-common-14-dev", "prometheus"]),
    (NOBLE, [*PLAYED, "clang", "libclang-rt-18-dev", "prometheus"])])
def test_packages_by_the_names_that_the_system_gives_them(system, packages, names):
    every = {**packages, **dict.fromkeys(PLAYED, "1")}
    done = system('for name in $(wanted_packages) "promtool|prometheus"; do pick "$name"; done',
                  "Some System 1", every)
    assert done.stdout.split() == names, done.stderr
    assert ("no chromium in this archive" in done.stderr) == ("chromium" not in packages)


@pytest.mark.parametrize("what", ["build", "device", "test"])
@pytest.mark.parametrize("name, packages", [("Ubuntu 22.04.5 LTS", JAMMY),
                                            ("Ubuntu 24.04.3 LTS", NOBLE)])
def test_ubuntu_has_every_package_that_is_asked_for(system, name, packages, what):
    """According to ubuntu.txt: a package added to the set-up must be added there for Ubuntu too."""
    done = system("may_be_root() { :; }; refresh_lists() { :; }; "
                  "install_packages() { printf '%s\\n' \"$@\"; }; "
                  f"get_packages {what}", name, packages)
    assert done.returncode == 0, done.stderr
    asked = done.stdout.split()
    assert "libavif-dev" in asked and set(asked) <= set(packages)
    assert ("zlib1g-dev" in asked) == ("libspng-dev" not in packages)
    assert ("binaryen" in asked) == (what != "build" and packages is NOBLE)


@pytest.mark.parametrize("name, python, machine, platform", [
    ("Debian GNU/Linux 13 (trixie)", "3.13", "x86_64", "manylinux_2_28_x86_64"),
    ("Ubuntu 24.04.3 LTS", "3.12", "aarch64", "manylinux_2_35_aarch64")])
def test_openvinos_python_package_is_for_the_tests_python(system, name, python, machine, platform):
    """For example Debian 13's Python 3.13 cannot import what was built for 3.11."""
    script = f"""venv() {{ :; }}; rm() {{ :; }}; pip() {{ printf '%s ' "$@"; exit; }}
. tools/setup/openvino.sh
openvino_wheel .deps/wheel {python}"""
    done = system(script, name, {}, machine)
    abi = python.replace(".", "")
    wanted = f"--python-version {python} --abi cp{abi} --platform {platform}"
    assert wanted in done.stdout, done.stderr
    pinned = (ROOT / "tools" / "openvino.txt").read_text()
    assert pinned.count("--hash=") == 6  # three Pythons, two processors


def test_the_libraries_of_a_package(system):
    script = """dpkg-deb() {
    echo 'Depends: libc6 (>= 2.38), libopentracing0t64 (>= 1.1.3), adduser, zlib1g:any (>= 1)'
    echo 'Pre-Depends: libcrypt1 | libcrypt2, init-system-helpers (>= 1.54~)'
}
libraries_of any.deb"""
    done = system(script, "Some System 1", {})
    names = ["libc6", "libcrypt1|libcrypt2", "libopentracing0t64"]
    assert done.stdout.split() == names, done.stderr


def test_every_package_for_the_tests_is_asked_for(system):
    """As setup.sh calls it: last in a list of commands, where `set -e` ends it at any failure."""
    done = system("false || { need_packages() { printf '%s ' \"$@\"; }; get_packages test; "
                  "echo end; }", "Debian GNU/Linux 12 (bookworm)", BOOKWORM)
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert names[-1] == "end"
    for name in ("libssl-dev", "valgrind", "clang", "qemu-user", "libspng-dev", "meson"):
        assert name in names, names


BESIDE = """venv() { :; }; say() { echo "$@"; }
slow() { until [ -e DONE ]; do sleep 0.05; done; echo slow; }
quick() { touch DONE; echo quick; }
broken() { false; echo never; }
"""


@pytest.mark.parametrize("parts, status, said", [
    ("slow quick", 0, {"quick", "slow", "end"}), ("quick broken slow", 1, {"quick", "slow"})])
def test_downloads_run_in_parallel(tmp_path, parts, status, said):
    """One after the other, `slow` would wait for ever. A failing part ends the set-up, but only
    after the others are complete."""
    script = BESIDE.replace("DONE", str(tmp_path / "done"))
    done = subprocess.run(["bash", "-c", "set -euo pipefail; . tools/setup/pypi.sh; "
                           f"{script}\nbeside {parts}; echo end"], cwd=ROOT, capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == status and set(done.stdout.split()) == said, done


@pytest.mark.parametrize("terminal", [True, False])
def test_the_builds_progress_is_shown_on_a_terminal(tmp_path, terminal):
    """As `make` would run it: ninja shows its progress on a terminal, and is silent in a log."""
    seen, end = os.openpty() if terminal else os.pipe()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-n", "serve", f"BUILD={tmp_path}"], cwd=ROOT, stdout=end, check=True,
                   env=env)
    os.close(end)
    said = b""
    with contextlib.suppress(OSError):  # the terminal was closed
        while piece := os.read(seen, 65536):
            said += piece
    os.close(seen)
    said = said.decode()
    (line,) = [line for line in said.splitlines() if line.startswith("ninja ")]
    assert ("--quiet" in line) != terminal, line
    assert "setup: compiling" in said


AS_OF_0_9_3 = """#include <avif/avif.h>
#if AVIF_VERSION >= 1000000
#define mode axis
#endif
#undef AVIF_VERSION
#define AVIF_VERSION 90300
#pragma GCC poison imageDimensionLimit AVIF_RESULT_OUT_OF_MEMORY
#include "image/avif.c"
"""


@pytest.mark.parametrize("newer, arguments", [(True, "setup --reconfigure build"), (False, "")])
def test_parts_downloaded_after_configuring_are_found(tmp_path, newer, arguments):
    """`make serve` configures without the page's engine; `make test` downloads it and builds it."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("bin", "tools", "build", ".deps"):
        (tmp_path / folder).mkdir()
    for name in ("tools/setup.sh", "tools/test.sh", "bin/meson"):
        said = " echo \"$*\" >>said" if name == "bin/meson" else ""
        (tmp_path / name).write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / name).chmod(0o755)
    for name, at in (("build/build.ninja", 1000), (".deps/device.stamp", 2000 if newer else 500)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "said").touch()
    subprocess.run(["make", "test"], cwd=tmp_path, check=True,
                   env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert (tmp_path / "said").read_text().strip() == arguments


def test_avif_is_read_without_what_ubuntu_22_04s_libavif_lacks(tmp_path):
    """Names added after its 0.9.3 (libavif's change log) are not used with older versions."""
    source = tmp_path / "old.c"
    source.write_text(AS_OF_0_9_3)
    done = subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-Isrc", "-Iinclude", "-Wall",
                           "-Werror", "-fsyntax-only", source], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


OLD_ESBUILD = """#!/bin/sh
case "$*" in
--version) echo 0.14.11 ;;
*es2022*) echo 'Invalid target "es2022"' >&2; exit 1 ;;
*) exec ESBUILD "$@" ;;
esac
"""


def test_the_page_is_bundled_by_ubuntu_22_04s_esbuild(tmp_path):
    """Its 0.14.11 does not know ES2022, in which the page is written; the bundle must be the
    same."""
    real = shutil.which("esbuild") or ROOT / ".deps/node_modules/.bin/esbuild"
    old = tmp_path / "esbuild"
    old.write_text(OLD_ESBUILD.replace("ESBUILD", str(real)))
    old.chmod(0o755)
    script = """import pathlib, sys, tempfile, bundle
scratch = tempfile.TemporaryDirectory()
print(sorted(bundle.Bundle(pathlib.Path("web"), pathlib.Path(scratch.name), sys.argv[1]).files))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    names = [subprocess.run([sys.executable, "-c", script, str(program)], cwd=ROOT, text=True,
                            check=True, capture_output=True, env=env).stdout
             for program in (real, old)]
    assert "tryon-" in names[0] and names[0] == names[1]
