#!/usr/bin/env python3
"""Writes the components of a build as SPDX 2.3 JSON: Lacquer itself, each library that the program
links with (its Debian package and version on this machine), the pinned OpenVINO runtime, and the
model; each with its licence, and with a checksum if we ship it.

Usage: sbom.py SOURCE_ROOT VERSION PROGRAM OUT     (meson calls it: build/lacquer.spdx.json)
       sbom.py --table SOURCE_ROOT VERSION PROGRAM     the same as a Markdown table on stdout
Fails if a linked library's licence is not in the table below, so that no library is added
unnoticed. The same sources and libraries give the same bytes: the date is that of
SOURCE_DATE_EPOCH, else that of the commit.
"""
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

# soname without version: licence (SPDX), origin. From each package's copyright file.
LIBRARIES = {
    "libseccomp": ("LGPL-2.1-only", "https://github.com/seccomp/libseccomp"),
    "libssl": ("Apache-2.0", "https://www.openssl.org"),
    "libcrypto": ("Apache-2.0", "https://www.openssl.org"),
    "libjpeg": ("IJG AND BSD-3-Clause AND Zlib", "https://libjpeg-turbo.org"),
    "libturbojpeg": ("IJG AND BSD-3-Clause AND Zlib", "https://libjpeg-turbo.org"),
    "libavif": ("BSD-2-Clause", "https://github.com/AOMediaCodec/libavif"),
    "libwebp": ("BSD-3-Clause", "https://chromium.googlesource.com/webm/libwebp"),
    "liblcms2": ("MIT", "https://www.littlecms.com"),
    "libspng": ("BSD-2-Clause", "https://libspng.org"),
    "libjansson": ("MIT", "https://github.com/akheron/jansson"),
    "libcurl": ("curl", "https://curl.se"),
    "libprotobuf-c": ("BSD-2-Clause", "https://github.com/protobuf-c/protobuf-c"),
    "libc": ("LGPL-2.1-or-later", "https://www.gnu.org/software/libc"),
    "libm": ("LGPL-2.1-or-later", "https://www.gnu.org/software/libc"),
    "ld-linux-x86-64": ("LGPL-2.1-or-later", "https://www.gnu.org/software/libc"),
    "ld-linux-aarch64": ("LGPL-2.1-or-later", "https://www.gnu.org/software/libc"),
    "libgcc_s": ("GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org"),
}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def machine_of(program):
    """"x86_64" or "aarch64": the processor of the program, since a cross-compiled one cannot run
    here."""
    found = re.search(r"Machine:\s+(\S+)", run("readelf", "-hW", str(program)))[1]
    return "aarch64" if found == "AArch64" else platform.machine()


def needed(program):
    """(soname, the file loaded for it) of each library that the program itself names."""
    names = re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-dW", str(program)))
    machine = machine_of(program)
    if machine != platform.machine():
        return sorted((name, f"/usr/lib/{machine}-linux-gnu/{name}") for name in names)
    paths = dict(re.findall(r"^\s*(\S+) => (\S+)", run("ldd", str(program)), re.M))
    return sorted((name, paths.get(name, f"/lib64/{name}")) for name in names)


def debian(path):
    """(package, version), or neither if dpkg does not know the file."""
    try:
        names = [path, os.path.realpath(path), re.sub("^/usr", "", os.path.realpath(path))]
        for name in names:
            found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
            if found.returncode == 0:
                package = found.stdout.split(": ")[0]
                return package.split(":")[0], run("dpkg-query", "-W", "-f", "${Version}", package)
    except (OSError, subprocess.CalledProcessError):
        pass
    return None, None


def created(root):
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        epoch = epoch or run("git", "-C", str(root), "log", "-1", "--format=%ct")
    except (OSError, subprocess.CalledProcessError):
        pass
    return datetime.datetime.fromtimestamp(int(epoch or 0), datetime.timezone.utc)


def system():
    """debian, ubuntu, …: the distribution of the packages."""
    try:
        release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return "debian"
    found = re.search(r'^ID="?([a-z0-9-]+)', release, re.M)
    return found[1] if found else "debian"


def openvino_pin(root, machine):
    """Name, release and the wheel's checksum: x86-64's comes first, ARM64's second."""
    pin = (root / "tools/openvino.txt").read_text(encoding="utf-8")
    name, release = re.search(r"^(\w+)==(\S+)", pin, re.M).groups()
    digests = re.findall(r"sha256:(\w+)", pin)
    return name, release, digests[machine == "aarch64"]


def part(name, version, licence, home, **more):
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]", "-", name), "name": name,
            "versionInfo": version or "NOASSERTION", "licenseConcluded": licence,
            "licenseDeclared": licence, "copyrightText": "NOASSERTION", "downloadLocation": home,
            "filesAnalyzed": False, **more}


def parts(root, version, program):
    yield part("lacquer", version, "Apache-2.0", "NOASSERTION", primaryPackagePurpose="APPLICATION")
    for soname, path in needed(program):
        base = re.sub(r"\.so.*$", "", soname)
        if base not in LIBRARIES:
            raise SystemExit(f"sbom: {soname} is linked, but tools/sbom.py has no licence for it")
        licence, home = LIBRARIES[base]
        package, package_version = debian(path) if path else (None, None)
        more = {"externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/{system()}/{package}@{package_version}",
        }]} if package else {}
        yield part(soname, package_version, licence, home, **more)
    spng = root / ".deps/spng/lib/pkgconfig/spng.pc"
    if spng.exists() and "libspng.so" not in run("readelf", "-dW", str(program)):
        built = re.search(r"^Version: (\S+)", spng.read_text(encoding="utf-8"), re.M)[1]
        yield part("libspng", built, *LIBRARIES["libspng"],
                   comment="linked in (tools/setup/pypi.sh)")
    name, release, digest = openvino_pin(root, machine_of(program))
    yield part(name, release, "Apache-2.0", "https://github.com/openvinotoolkit/openvino",
               externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:pypi/{name}@{release}"}],
               checksums=[{"algorithm": "SHA256", "checksumValue": digest}],
               comment="the wheel's C libraries, oneTBB and oneDNN among them (Apache-2.0); their "
                       "notices are installed beside them")
    yield part("onnx.proto", "as libonnx-dev installs it", "Apache-2.0", "https://onnx.ai",
               comment="compiled into the converter")
    yield part("models/nail.onnx", version, "Apache-2.0", "NOASSERTION",
               checksums=[{"algorithm": "SHA256",
                           "checksumValue": sha256(root / "models/nail.onnx")}],
               comment="trained by train/; models/README.md names its data and their licences")
    yield part("models/hand.onnx", "0.10.14", "Apache-2.0",
               "https://github.com/google-ai-edge/mediapipe",
               checksums=[{"algorithm": "SHA256",
                           "checksumValue": sha256(root / "models/hand.onnx")}],
               comment="MediaPipe Hands' hand_landmark_full, converted; models/README.md says how")


def page_parts(root):
    """The components of the page's own engine, if it is built (docs/DEVICE.md)."""
    if not (root / ".deps/onnxruntime-web").is_dir():
        return
    homes = {"onnxruntime-web": "https://github.com/microsoft/onnxruntime",
             "fzstd": "https://github.com/101arrowz/fzstd"}
    for line in (root / "tools/device.txt").read_text(encoding="utf-8").splitlines():
        name, release, _ = line.split()
        yield part(name, release, "MIT", homes[name],
                   externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                  "referenceLocator": f"pkg:npm/{name}@{release}"}],
                   comment="served to the page unchanged")
    yield part("wasi-libc", None, "MIT AND Apache-2.0 WITH LLVM-exception",
               "https://github.com/WebAssembly/wasi-libc",
               comment="linked into lacquer.wasm, with compiler-rt")


def document(root, version, program):
    packages = [*parts(root, version, program), *page_parts(root)]
    own = packages[0]["SPDXID"]
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"lacquer-{version}",
        "documentNamespace": "https://spdx.org/spdxdocs/lacquer-"
                             f"{version}-{hashlib.sha256(repr(packages).encode()).hexdigest()[:32]}",
        "creationInfo": {"created": created(root).strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Tool: lacquer-sbom.py"]},
        "packages": packages,
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": own}]
        + [{"spdxElementId": own, "relationshipType": "DEPENDS_ON",
            "relatedSpdxElement": each["SPDXID"]} for each in packages[1:]],
    }


def main(args):
    table = args[:1] == ["--table"]
    root, version, program = pathlib.Path(args[table]), args[table
                                                             + 1], pathlib.Path(args[table + 2])
    spdx = document(root, version, program)
    if table:
        print("| part | version here | licence |\n|---|---|---|")
        for each in spdx["packages"]:
            print(f"| {each['name']} | {each['versionInfo']} | {each['licenseDeclared']} |")
    else:
        pathlib.Path(args[3]).write_text(json.dumps(spdx, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
