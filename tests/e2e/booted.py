"""Boots systemd in a folder that contains a Debian, in its own namespaces and cgroups, to test
installed services. Needs root."""
import contextlib
import pathlib
import subprocess
import time

CGROUPS = pathlib.Path("/sys/fs/cgroup")
HYBRID = (CGROUPS / "unified").is_dir()  # with cgroup v1 beside v2, systemd needs one of each
HIERARCHIES = [CGROUPS / "systemd", CGROUPS / "unified"] if HYBRID else [CGROUPS]
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

# $1: the folder.
BOOT = r"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
if [ -d /sys/fs/cgroup/unified ]; then
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
    mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
else
    mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
pivot_root . mnt 2>/dev/null && umount -l /mnt || true
exec env -i container=lacquer-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot . /lib/systemd/systemd --log-target=console
"""
# $2 and on: cgroups that the process is put into first.
START = r"""
boot=$1 root=$2
shift 2
for group; do echo $$ >"$group/cgroup.procs"; done
exec unshare --mount --pid --fork --cgroup --uts --ipc --net --kill-child bash -c "$boot" - "$root"
"""


def child_of(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return int(text.split()[0]) if text.split() else None


class Booted:
    """A running system; `run` executes a command as if typed at its console."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "etc/machine-id").write_text("")
        self.groups = [path / f"lacquer-boot-{folder.parent.name}" for path in HIERARCHIES]
        for group in self.groups:
            group.mkdir(exist_ok=True)
        self.console = open(folder / "console.log", "w+")
        self.process = subprocess.Popen(
            ["bash", "-c", START, "-", BOOT, folder, *self.groups], stdin=subprocess.DEVNULL,
            stdout=self.console, stderr=self.console)
        self.until("systemd runs", lambda: self.run("systemctl", "is-system-running", "--wait",
                                                    check=False).stdout.strip() == "running")

    def until(self, what, ask, seconds=180):
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None and time.monotonic() < end, (what, self.said())
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                if self.init() and ask():
                    return
            time.sleep(0.5)

    def init(self):
        """PID of systemd outside the namespaces, once the boot script has become systemd."""
        pid = child_of(self.process.pid)
        name = pid and pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
        return pid if name == "systemd" else None

    def run(self, *command, check=True, seconds=300):
        done = subprocess.run(["nsenter", "--target", str(self.init()), "--all", "env", "-i", PATH,
                               "DEBIAN_FRONTEND=noninteractive", *command], capture_output=True,
                              text=True, timeout=seconds)
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr, self.said())
        return done

    def property_of(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def said(self):
        self.console.flush()
        return pathlib.Path(self.console.name).read_text(errors="replace")[-3000:]

    def stop(self):
        self.process.kill()  # with everything in it, because of --kill-child
        self.process.wait()
        self.console.close()
        for group in self.groups:
            for path in [*sorted(group.rglob("*/"), reverse=True), group]:
                with contextlib.suppress(OSError):
                    path.is_dir() and path.rmdir()
