"""Bundles the page's modules into a few files with hashed names (tools/embed.py embeds them).

esbuild bundles web/tryon.js and all that it imports, with a separate chunk for each part that is
imported only when needed. Files that a module names by new URL('…', import.meta.url) are hashed
too. A file with a hash in its name never changes, so browsers may cache it for ever.
"""
import hashlib
import json
import pathlib
import re
import subprocess

ENTRY = "tryon.js"
REFERENCE = re.compile(r"new URL\(\s*'([^']+)',\s*import\.meta\.url\s*\)")


def hashed_name(name, data):
    path = pathlib.PurePosixPath(name)
    return f"{path.stem}-{hashlib.sha256(data).hexdigest()[:10]}{path.suffix}"


class Bundle:
    """files: {name: bytes} under hashed names; preload: names that the entry imports, itself first;
    names: {path in web/: hashed name} of files that modules name by their URL."""

    def __init__(self, folder, scratch, esbuild):
        self.folder, self.scratch, self.esbuild = folder, scratch, esbuild
        self.files, self.names = {}, {}
        for path in sorted(folder.rglob("*.js")):
            self._copy(path)
        self._run()

    def _copy(self, path):
        """The module with its references replaced, because the bundle is in another folder."""
        text = path.read_text(encoding="utf-8")
        target = self.scratch / path.relative_to(self.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(REFERENCE.sub(lambda found: self._reference(path, found), text),
                          encoding="utf-8")

    def _reference(self, module, found):
        target = (module.parent / found[1]).resolve()
        if target.is_dir():
            return found[0]
        if not target.is_file():
            raise SystemExit(f"{module}: there is no {found[1]}")
        return f"new URL('{self.add(target)}', import.meta.url)"

    def add(self, path):
        """The file's hashed name, under which it is served."""
        data = self._small(path)
        name = hashed_name(path.name, data)
        self.files[name] = data
        self.names[path.resolve().relative_to(self.folder.resolve()).as_posix()] = name
        return name

    def _small(self, path):
        if path.suffix == ".js" and re.search(r"^\s*(import|export)\b", path.read_text(), re.M):
            return self._worker(path)
        if path.suffix == ".css":
            return self._style(path)
        if path.suffix != ".js":
            return path.read_bytes()
        return subprocess.run([self.esbuild, "--minify", "--charset=utf8", "--log-level=warning",
                               str(path)], check=True, stdout=subprocess.PIPE).stdout

    def _style(self, path):
        """A style sheet with all its imports in one file; URLs of pictures stay unchanged."""
        pictures = [f"--external:./{found.relative_to(self.folder).as_posix()}"
                    for found in sorted(self.folder.rglob("*.jpg"))]
        return subprocess.run([self.esbuild, str(path.resolve()), "--bundle", "--minify",
                               "--charset=utf8", "--log-level=warning", *pictures],
                              cwd=self.folder, check=True, stdout=subprocess.PIPE).stdout

    def _target(self):
        """The language level of the modules; esbuild before 0.14.24 (Ubuntu 22.04) does not know it
        and leaves them unchanged."""
        said = subprocess.run([self.esbuild, "--version"], check=True, stdout=subprocess.PIPE,
                              text=True)
        version = tuple(int(number) for number in re.findall(r"\d+", said.stdout)[:3])
        return "es2022" if version >= (0, 14, 24) else "esnext"

    def _worker(self, path):
        """A module worker with all its imports in one file."""
        return subprocess.run([self.esbuild, str(path), "--bundle", "--format=esm", "--minify",
                               f"--target={self._target()}", "--charset=utf8",
                               "--log-level=warning"],
                              check=True, stdout=subprocess.PIPE).stdout

    def _run(self):
        out, meta = self.scratch / "out", self.scratch / "meta.json"
        subprocess.run(
            [self.esbuild, ENTRY, "--bundle", "--splitting", "--format=esm", "--minify",
             f"--target={self._target()}", "--charset=utf8", "--entry-names=[name]-[hash]",
             "--chunk-names=[name]-[hash]", "--outdir=out", "--metafile=meta.json",
             "--log-level=warning"], cwd=self.scratch, check=True)
        outputs = json.loads(meta.read_text())["outputs"]
        for path in sorted(out.iterdir()):
            self.files[path.name] = path.read_bytes()
        entry, = (name for name, one in outputs.items() if one.get("entryPoint") == ENTRY)
        self.preload = []
        self._follow(outputs, entry)

    def _follow(self, outputs, path):
        name = pathlib.PurePosixPath(path).name
        if name in self.preload:
            return
        self.preload.append(name)
        for imported in outputs[path]["imports"]:
            if imported["kind"] == "import-statement":
                self._follow(outputs, imported["path"])
