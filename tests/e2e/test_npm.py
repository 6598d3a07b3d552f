"""The npm package `lacquer-tryon`: its contents, its types, and bundles with it in Chromium."""
import json
import shutil
import subprocess
import tarfile

import pytest

from sites import DEVICE, HERE, LACQUER, ROOT, host, in_chromium, make_device

APP = """
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { defineTryon, type LacquerEvents } from 'lacquer-tryon';
import { LacquerTryon } from 'lacquer-tryon/react';

// @ts-expect-error there is no such engine
export const wrong = () => <LacquerTryon engine="cloud" />;
// @ts-expect-error a look is a text
export const wrongLook = () => <LacquerTryon look={7} />;
export const name = (look: LacquerEvents['lacquer-look']): string | null => look.shade;

function Shop() {
    const [ready, setReady] = useState('');
    const [color, setColor] = useState('');
    return (
        <>
            <output id="ready">{ready}</output>
            <output id="color">{color}</output>
            <LacquerTryon assets="lacquer/" lang="en" color="#5a1118" stats={false}
                onReady={({ shades }) => setReady(`${shades} shades`)}
                onLook={(look, event) => setColor(`${look.color} ${event.type}`)} />
        </>
    );
}
defineTryon({ assets: 'nowhere/' }).catch((error: Error) => {
    document.title = error.message;
    createRoot(document.getElementById('root')!).render(<Shop />);
});
"""
PAGE = """<!doctype html><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
<div id="root"></div><script type="module" src="app.js"></script>"""
TOOLS = HERE / "node_modules"


def make_package(device):
    done = subprocess.run([ROOT / "tools/npm.sh", LACQUER.parent, device], cwd=ROOT, text=True,
                          capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr
    path, = (LACQUER.parent / "npm").glob("*.tgz")
    return path


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The tarball, built twice."""
    folder = tmp_path_factory.mktemp("npm")
    device = make_device(folder / "device")
    made = [make_package(device).read_bytes() for _ in range(2)]
    assert made[0] == made[1], "the same files gave another tarball"
    kept = folder / "lacquer-tryon.tgz"
    kept.write_bytes(made[0])
    return kept


def install(package, folder):
    """Unpacks it as npm does in a project."""
    done = subprocess.run(["npm", "install", "--offline", "--no-audit", "--no-fund", "--no-save",
                           "--ignore-scripts", "--legacy-peer-deps", package], cwd=folder,
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def copy_assets(folder, public):
    done = subprocess.run([folder / "node_modules/.bin/lacquer-tryon", public],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def project(package, tmp_path_factory):
    """A new project with the package installed from its tarball, as npm does."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "package.json").write_text('{"name": "shop", "private": true, "type": "module"}')
    (folder / "app.tsx").write_text(APP)
    install(package, folder)
    (folder / "node_modules/@types").mkdir()
    for name in ("react", "react-dom", "scheduler", "csstype", "@types/react"):
        (folder / "node_modules" / name).symlink_to(TOOLS / name)
    (folder / "dom.d.ts").write_text(
        "declare module 'react-dom/client' {\n"
        "    export function createRoot(at: Element): { render(tree: unknown): void };\n}\n")
    return folder


def test_the_package_s_list(package):
    with tarfile.open(package) as tar:
        names = set(tar.getnames())
        described = json.load(tar.extractfile("package/package.json"))
        for name in ("NOTICES", "dist/NOTICES.txt"):
            assert tar.extractfile(f"package/{name}").read() == b"Whose it is"
    assert {"package/dist/tryon.js", "package/dist/api/looks.json",
            "package/dist/device/device.json", "package/tryon.d.ts", "package/react.js",
            "package/README.md", "package/LICENSE", "package/NOTICES"} <= names
    assert not {"package/dist/sw.js", "package/dist/index.html"} & names
    assert described["version"] == subprocess.run([LACQUER, "--version"], capture_output=True,
                                                  text=True).stdout.split()[1]


def test_the_package_s_types(project):
    """tsc --strict over React code that uses it, with two mistakes that it must report."""
    done = subprocess.run(
        ["node", TOOLS / "typescript/bin/tsc", "--noEmit", "--strict", "--jsx", "react-jsx",
         "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib",
         "dom,dom.iterable,es2022", "app.tsx", "dom.d.ts"],
        cwd=project, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout


def test_the_package_in_a_bundle(project):
    """esbuild's bundle in Chromium: the element is defined by the files that `npx` copied."""
    esbuild = shutil.which("esbuild") or ROOT / ".deps/node_modules/.bin/esbuild"
    public = project / "public"
    done = subprocess.run([esbuild, "app.tsx", "--bundle", "--format=esm", "--jsx=automatic",
                           f"--outfile={public}/app.js"], cwd=project, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    copy_assets(project, public / "lacquer")
    (public / "index.html").write_text(PAGE)
    with host(project) as url:
        in_chromium("the_package_in_a_page", f"{url}public/", public)


# ---- a project built with Vite

VITE = HERE / "vite"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The output of `vite build` for tests/e2e/vite, below the path in its config. Vite has 44 MB
    and is downloaded by hand."""
    if not (VITE / "node_modules").is_dir():
        pytest.skip("there is no Vite: npm ci --ignore-scripts in tests/e2e/vite")
    if not (DEVICE / "device.json").exists():
        pytest.skip("the page's own engine is not built: tools/setup.sh device")
    folder = tmp_path_factory.mktemp("vite")
    for path in VITE.iterdir():
        if path.is_file() and not path.name.startswith("package"):
            shutil.copy(path, folder)
    page = (VITE / "page.html").read_text()
    for name, script in (("plain", "plain.js"), ("react", "react.jsx")):
        (folder / f"{name}.html").write_text(page.replace("SCRIPT", script))
    (folder / "package.json").write_text('{"name": "shop", "private": true, "type": "module"}')
    install(make_package(DEVICE), folder)
    for path in (VITE / "node_modules").iterdir():
        (folder / "node_modules" / path.name).exists() or (
            folder / "node_modules" / path.name).symlink_to(path)
    copy_assets(folder, folder / "public/lacquer-tryon")
    done = subprocess.run(["node", VITE / "node_modules/vite/bin/vite.js", "build"], cwd=folder,
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    host_root = folder / "host"
    (host_root / "shop").mkdir(parents=True)
    (folder / "dist").rename(host_root / "shop/spring")
    with host(host_root) as url:
        yield f"{url}shop/spring/", host_root / "shop/spring"


@pytest.mark.parametrize("name", ["the_package_built_by_vite",
                                  "the_package_built_by_vite_for_react"])
def test_the_package_in_a_project_of_vite(name, shop):
    """Nails are detected on the device, with files below the site's own path alone."""
    in_chromium(name, *shop)
