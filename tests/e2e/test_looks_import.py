"""`lacquer looks import`: converts real product exports of shops to swatches that the server
offers."""
import json
import pathlib
import subprocess

import httpx

from conftest import LACQUER, NO_NAILS, Server

EXPORTS = pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "shop"


def run(csv, out, *options, status=0):
    done = subprocess.run([LACQUER, "looks", "import", csv, "--out", out, *options],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    shades = json.loads((out / "shades.json").read_text()) if status == 0 else []
    return {shade["title"]: shade for shade in shades}, done


def said(done, line):
    return [text for text in done.stderr.splitlines() if f":{line}: " in text]


def test_a_shopify_export(tmp_path):
    shades, done = run(EXPORTS / "shopify.csv", tmp_path / "looks", "--currency", "EUR",
                       "--shop", "https://polish.example/")
    assert list(shades) == ["Oxblood", "Cherry Stem"]
    oxblood, cherry = shades.values()
    assert oxblood["color"] == "#5a1118" and oxblood["family"] == "red"
    assert oxblood["gtin"] == "4006381333931" and oxblood["stock"] == 12
    assert {"sku": "ER-02", "brand": "Lacquer & Co", "price": "12.90", "currency": "EUR",
            "url": "https://polish.example/products/evening-reds", "color": "#b0122b",
            "stock": 0}.items() <= cherry.items()
    # A wrong check digit only loses the number; rows that are no polish or no longer sold are
    # named.
    assert "gtin" not in cherry and "check digit" in said(done, 4)[0]
    assert "'Remover' is left out: it has no colour" in said(done, 6)[0]
    assert "not published" in said(done, 7)[0]
    assert "2 shades in" in done.stdout and "2 rows left out, 1 rows of pictures" in done.stdout


def test_a_woocommerce_export(tmp_path):
    shades, done = run(EXPORTS / "woocommerce.csv", tmp_path / "looks", "--currency", "EUR",
                       "--shop", "https://w.example")
    assert list(shades) == ["Red", "Navy", "Top coat, café"]
    assert {"color": "#c81e1e", "price": "8.90", "sku": "gel-red", "gtin": "96385074", "stock": 7,
            "brand": "Höchst & Söhne", "url": "https://w.example/?p=44"}.items() \
        <= shades["Red"].items()
    assert shades["Navy"]["stock"] == 0 and shades["Navy"]["color"] == "#000080"
    assert "by its name alone" in said(done, 5)[0] or "by its name alone" in said(done, 4)[0]
    assert shades["Top coat, café"]["price"] == "1299.00"
    assert "rounded by a spreadsheet" in done.stderr and "'Soleil' is left out" in done.stderr


def test_a_spreadsheet_of_windows(tmp_path):
    shades, done = run(EXPORTS / "windows.csv", tmp_path / "looks")
    assert list(shades) == ["Café crème", "Rot"]
    assert {"name": "cafe-creme", "price": "7.50", "currency": "EUR", "stock": 3, "brand": "Lück",
            "color": "#c9a27e"}.items() <= shades["Café crème"].items()
    assert "url" not in shades["Café crème"] and "no https address" in said(done, 2)[0]
    assert "a quote is opened and never closed" in said(done, 3)[0]
    assert "'abc' cannot be read" in said(done, 4)[0] and "price" not in shades["Rot"]


def test_two_rows_alike_are_both_kept(tmp_path):
    out = tmp_path / "looks"
    run(EXPORTS / "hand.tsv", out)
    shades = json.loads((out / "shades.json").read_text())
    assert [shade["name"] for shade in shades] == ["a", "a-3"]


def test_shades_of_a_shop_are_served(tmp_path):
    out = tmp_path / "looks"
    shades, _ = run(EXPORTS / "shopify.csv", out, "--shop", "https://p.example")
    running = Server(*NO_NAILS, "--looks", str(out))
    catalogue = httpx.get(f"{running.url}/api/looks").json()
    served = {shade["name"]: shade for shade in catalogue["shades"]}
    assert running.stop()[0] == 0
    for shade in shades.values():
        theirs = served[shade["name"]]
        assert {key: theirs[key] for key in shade if key != "lab"} \
            == {key: value for key, value in shade.items() if key != "lab"}
    # The same colours on the command line.
    looked = subprocess.run([LACQUER, "looks", "--looks", out], capture_output=True, text=True)
    assert "cherry-stem" in looked.stdout and "#b0122b" in looked.stdout


def test_a_failed_import_says_what_to_do(tmp_path):
    csv, out = tmp_path / "a.csv", tmp_path / "looks"

    def refused(text, *options):
        csv.write_bytes(text)
        return run(csv, out, *options, status=1)[1].stderr

    assert "names no column that is known" in refused(b"1,2\n3,4\n")
    assert "UTF-16" in refused("name,hex\n".encode("utf-16"))
    assert "column 'hex'" in refused(b"name,price\nRed dress,5\n")
    assert "names no column" in refused(b"")
    assert not (out / "shades.json").exists()
    run(EXPORTS / "hand.tsv", out)
    again = run(EXPORTS / "windows.csv", out, status=1)[1].stderr
    assert "--force" in again and len(json.loads((out / "shades.json").read_text())) == 2
    run(EXPORTS / "windows.csv", out, "--force")
    for wrong in (["--currency", "euro"], ["--shop", "shop.example"], ["b.csv"]):
        assert run(EXPORTS / "hand.tsv", out, *wrong, status=2)[1].stderr


def test_a_link_that_runs_a_script_is_refused(tmp_path):
    (tmp_path / "shades.json").write_text(json.dumps([{
        "name": "a", "title": "A", "family": "red", "lab": [40, 50, 30],
        "url": "javascript:alert(1)"}]))
    done = subprocess.run([LACQUER, "looks", "--looks", tmp_path], capture_output=True, text=True)
    assert done.returncode != 0 and "url one of https" in done.stderr
