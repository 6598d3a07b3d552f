"""The packages that users install: Debian's (tools/deb.sh) and Python's (tools/wheel.sh).

Tests that must build a package take minutes on a busy machine; LACQUER_PACKAGES=1 enables them.
LACQUER_ROOT names a folder with a minimal Debian (debootstrap --variant=minbase) to copy; without
it one is created, which takes another minute. LACQUER_DEBS names a folder with packages built by
tools/deb.sh.
"""
import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from booted import Booted
from conftest import HANDS, LACQUER, ROOT

BUILD, DEBIAN = LACQUER.parent, ROOT / "packaging" / "debian"
PACKAGES = ("lacquer", "liblacquer0", "liblacquer-dev")
asked = pytest.mark.skipif(not os.environ.get("LACQUER_PACKAGES"),
                           reason="builds packages: LACQUER_PACKAGES=1")


# ---- checks that need no built package


def listed(package):
    lines = (DEBIAN / f"{package}.install").read_text().splitlines()
    return [line.split()[0] for line in lines if line]


def test_every_installed_file_is_in_one_package(tmp_path):
    """A file missing from every list would not be installed; one in two lists makes the packages
    conflict."""
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True,
                   env={**os.environ, "DESTDIR": str(tmp_path)})
    (program,) = tmp_path.rglob("bin/lacquer")
    prefix = program.parent.parent
    for path in prefix.rglob("*"):
        if path.is_dir():
            continue
        name = f"usr/{path.relative_to(prefix)}"
        # In packages, libraries are in the folder of their architecture.
        name = re.sub("usr/lib/(lacquer/|liblacquer|pkgconfig/)", r"usr/lib/any/\1", name)
        owners = [package for package in PACKAGES for glob in listed(package)
                  if fnmatch.fnmatch(name, glob) or fnmatch.fnmatch(name, f"{glob}/*")]
        assert len(owners) == 1, (name, owners)


def test_the_packages_agree_with_meson():
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
    debian = version.replace("-rc", "~rc")  # a release candidate sorts before its release
    assert (DEBIAN / "changelog").read_text().startswith(f"lacquer ({debian})")
    soname = re.search(r"soversion: '(\d+)'", (ROOT / "meson.build").read_text())[1]
    assert f"Package: liblacquer{soname}\n" in (DEBIAN / "control").read_text()
    assert f"LACQUER_{soname} " in (DEBIAN / "liblacquer0.symbols").read_text()
    assert f"LACQUER_{soname} {{" in (ROOT / "src" / "lib" / "liblacquer.map").read_text()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_the_packaged_unit(tmp_path):
    """The unit as debian/rules installs it, with the installed program in place of /usr/bin's."""
    rules = (DEBIAN / "rules").read_text()
    script = re.search(r"execute_before_dh_installsystemd:\n\t(.*?)\n\n", rules, re.S)[1]
    target = tmp_path / "debian"
    target.mkdir()
    script = script.replace("$$", "$")
    script = script.replace("debian/lacquer.service", f"{target}/lacquer.service")
    subprocess.run(["sh", "-c", script], check=True, cwd=ROOT)
    unit = target / "lacquer.service"
    text = unit.read_text()
    assert "ExecStart=/usr/bin/lacquer serve " in text and "make install" not in text
    # It runs nothing that a minimal Debian lacks, such as /bin/kill.
    assert set(re.findall(r"^Exec\w+=(\S+)", text, re.M)) == {"/usr/bin/lacquer", "/bin/sh"}
    assert "EnvironmentFile=-/etc/default/lacquer" in text and "/usr/local" not in text
    unit.write_text(text.replace("/usr/bin/lacquer", str(LACQUER)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                          text=True)
    assert "lacquer.service" not in done.stderr, done.stderr
    options = re.search(r'LACQUER_ARGS="(.*)"', (DEBIAN / "lacquer.default").read_text())[1]
    known = subprocess.run([LACQUER, "serve", "--help"], capture_output=True, text=True).stdout
    assert all(word in known for word in options.split() if word.startswith("--"))


def test_completion_knows_commands_and_options():
    def complete(*words):
        script = (f'source "{ROOT}/packaging/completion/lacquer.bash"; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _lacquer "$1"; printf "%s\\n" "${COMPREPLY[@]}"')
        return subprocess.run(["bash", "-c", script, "-", LACQUER, *words], check=True,
                              capture_output=True, text=True).stdout.split()
    assert {"apply", "serve", "triton-repo"} <= set(complete(""))
    assert complete("conv") == ["convert"]
    assert {"--color", "--json"} <= set(complete("apply", "--"))
    assert complete("serve", "--tls-c") == ["--tls-cert"]


# ---- Debian


@pytest.fixture(scope="module")
def debs():
    out = pathlib.Path(os.environ.get("LACQUER_DEBS", BUILD / "deb"))
    if "LACQUER_DEBS" not in os.environ:
        done = subprocess.run([ROOT / "tools" / "deb.sh", out], capture_output=True, text=True,
                              env={**os.environ, "LACQUER_DEB_FAST": "1"})
        assert done.returncode == 0, done.stdout + done.stderr  # lintian's warnings too
    found = sorted(out.glob("*.deb"))
    assert {path.name.split("_")[0] for path in found} == set(PACKAGES)
    return found


def version_of(path):
    return subprocess.run(["dpkg-deb", "-f", path, "Version"], check=True, capture_output=True,
                          text=True).stdout.strip()


def packed_as_newer(path, folder):
    """Puts the same package with a later version into the folder."""
    tree = folder / path.stem
    subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
    control = tree / "DEBIAN" / "control"
    version = version_of(path)
    control.write_text(control.read_text().replace(version, f"{version}+later"))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, folder],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)


class Root:
    """A separate Debian in a folder; each command gets its own namespaces."""

    def __init__(self, folder):
        self.folder = folder
        made = os.environ.get("LACQUER_ROOT")
        if made:
            subprocess.run(["cp", "-a", "--reflink=auto", made, folder], check=True)
        else:
            subprocess.run(["debootstrap", "--variant=minbase", "bookworm", folder], check=True,
                           stdout=subprocess.DEVNULL)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", folder / "etc" / name)

    def run(self, *command, check=True):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
               "HOME": "/root", "LANG": "C.UTF-8"}
        env |= {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork",
                               f"--mount-proc={self.folder}/proc", "chroot", self.folder, *command],
                              capture_output=True, text=True, timeout=600, env=env)
        assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done

    def left(self):
        return {str(path.relative_to(self.folder)) for top in ("etc", "lib", "usr", "var")
                for path in (self.folder / top).rglob("*lacquer*")
                if "/share/doc-base/" not in str(path)}


as_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("debootstrap"),
                             reason="needs root and debootstrap")


@pytest.fixture(scope="module")
def clean_root(debs, tmp_path_factory):
    """With the packages and a picture of a hand in /debs, and later versions in /later."""
    root = Root(tmp_path_factory.mktemp("clean") / "root")
    for name in ("debs", "later"):
        (root.folder / name).mkdir()
    for path in (*debs, HANDS / "light.jpg"):
        shutil.copy(path, root.folder / "debs")
    for path in debs:
        packed_as_newer(path, root.folder / "later")
    root.run("apt-get", "update", "-q")
    yield root
    shutil.rmtree(root.folder, ignore_errors=True)


@asked
@as_root
def test_debian_packages_in_a_clean_root(clean_root):
    root = clean_root
    root.run("sh", "-c", "apt-get install -qy --no-install-recommends /debs/*.deb")
    # The program, its networks and OpenVINO, without network access and without any variable set.
    done = root.run("lacquer", "apply", "/debs/light.jpg", "-o", "/debs/out.jpg", "--json")
    assert done.stdout.count('"id"') >= 4
    assert (root.folder / "debs" / "out.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert re.search(r"openvino\s+yes", root.run("lacquer", "engines").stdout)
    loaded = root.run("sh", "-c", "ldconfig -p | grep liblacquer.so.0; "
                      "ldd /usr/lib/*/lacquer/*.so* "
                      "/usr/lib/*/lacquer/lacquer-check-model /usr/lib/*/liblacquer.so.0").stdout
    assert "liblacquer.so.0 " in loaded and "not found" not in loaded
    # Enabled as a service; the administrator may change its defaults.
    wants = root.folder / "etc/systemd/system/multi-user.target.wants/lacquer.service"
    assert wants.is_symlink()
    assert "/etc/default/lacquer" in root.run("dpkg-query", "-W", "-f", "${Conffiles}",
                                              "lacquer").stdout
    root.run("dpkg", "--verify", *PACKAGES)
    (root.folder / "etc/default/lacquer").write_text('LACQUER_ARGS="--port 9000"\n')
    root.run("sh", "-c", "apt-get install -qy --no-install-recommends /later/*.deb")
    versions = root.run("dpkg-query", "-W", "-f", "${Version} ", *PACKAGES).stdout.split()
    assert len(versions) == 3 and all(version.endswith("+later") for version in versions)
    again = root.run("lacquer", "apply", "/debs/light.jpg", "-o", "/debs/out.jpg", "--json")
    assert again.stdout.count('"id"') == done.stdout.count('"id"') and wants.is_symlink()
    assert (root.folder / "etc/default/lacquer").read_text() == 'LACQUER_ARGS="--port 9000"\n'
    root.run("apt-get", "remove", "-qy", "lacquer")
    assert (root.folder / "etc/default/lacquer").read_text() == 'LACQUER_ARGS="--port 9000"\n'
    (root.folder / "var/cache/private/lacquer").mkdir(parents=True)
    root.run("apt-get", "purge", "-qy", *PACKAGES)
    assert root.left() == set()


@asked
@as_root
def test_the_service_of_the_package_under_systemd(clean_root):
    """Enabled and started by the installation, reloaded, restarted after a kill, given options,
    continued by a later version, and removed without a trace when it is purged."""
    clean_root.run("sh", "-c", "apt-get install -qy --no-install-recommends systemd systemd-sysv "
                   "dbus curl /debs/*.deb && apt-get purge -qy lacquer liblacquer0 liblacquer-dev")
    system = Booted(clean_root.folder)
    try:
        serve_under(system, clean_root)
    except AssertionError:
        print(system.run("journalctl", "--no-pager", "-n", "40", check=False).stdout)
        raise
    finally:
        system.stop()


def serve_under(system, root):
    def healthy(port=8080):
        return system.run("curl", "-sf", f"http://127.0.0.1:{port}/healthz",
                          check=False).stdout == "ok\n"
    # No network access inside: dependencies are installed before.
    system.run("sh", "-c", "dpkg -i /debs/*.deb")
    assert system.run("systemctl", "is-enabled", "lacquer").stdout == "enabled\n"
    system.until("the service answers", healthy)
    picture = system.run("curl", "-sf", "-H", "Accept: image/jpeg", "-F", "image=@/debs/light.jpg",
                         "-o", "/debs/painted.jpg", "http://127.0.0.1:8080/api/process")
    assert picture.returncode == 0
    assert (root.folder / "debs/painted.jpg").read_bytes()[:2] == b"\xff\xd8"
    first = system.property_of("lacquer", "MainPID")
    system.run("systemctl", "reload", "lacquer")
    assert system.property_of("lacquer", "MainPID") == first and healthy()
    system.run("systemctl", "kill", "-s", "KILL", "lacquer")
    system.until("it is up again", lambda: system.property_of("lacquer", "MainPID") not in
                 ("0", first) and healthy())
    (root.folder / "etc/default/lacquer").write_text('LACQUER_ARGS="--port 9000"\n')
    system.run("systemctl", "restart", "lacquer")
    system.until("it has its options", lambda: healthy(9000))
    first = system.property_of("lacquer", "MainPID")
    system.run("sh", "-c", "dpkg -i /later/*.deb")
    system.until("the later version serves with them", lambda: system.property_of(
        "lacquer", "MainPID") not in ("0", first) and healthy(9000))
    said = system.run("journalctl", "-u", "lacquer", "--no-pager").stdout
    assert "listening on http://" in said and '"level":"error"' not in said, said
    system.run("apt-get", "purge", "-qy", *PACKAGES)
    assert not healthy(9000)
    assert system.property_of("lacquer", "LoadState") == "not-found"
    assert root.left() == set()


# ---- Python


@asked
def test_the_wheel_in_an_environment_of_its_own(tmp_path):
    """Built, installed by pip with its dependencies, used without any other Lacquer, and
    removed."""
    done = subprocess.run([ROOT / "tools" / "wheel.sh", BUILD], capture_output=True, text=True,
                          env={**os.environ, "PYTHON": sys.executable})
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (BUILD / "wheel").glob("lacquer-*-py3-none-linux_*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", "--only-binary", ":all:", wheel], check=True)
    (target,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LACQUER", "LD_", "PYTHON"))}
    done = subprocess.run([python, ROOT / "examples" / "paint.py", HANDS / "light.jpg",
                           tmp_path / "out.jpg", "classic-french"], cwd=tmp_path, text=True,
                          capture_output=True, env={**env, "LD_DEBUG": "files"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "out.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert done.stdout.count("nail ") >= 4
    used = re.findall(r"calling init: (/\S*(?:lacquer|openvino)\S*)", done.stderr)
    assert used and all(pathlib.Path(path).is_relative_to(target) for path in used), used
    assert (target / "lacquer" / "py.typed").exists()
    assert list((target / "lacquer").rglob("licenses/LICENSE"))
    subprocess.run([*pip, "uninstall", "-y", "lacquer"], check=True)
    assert not list(target.glob("lacquer*"))
