"""Pictures as written by cameras, phones and programs, processed by the command and the server."""
import base64
import io
import pathlib
import struct
import subprocess
import tempfile

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from color import delta_e, profile_of, shown
from conftest import LACQUER, ROOT, Server, frame

PICTURES = ROOT / "tests" / "fixtures" / "pictures"


def read(name):
    return (PICTURES / name).read_bytes()


def apply(*args, status=0):
    done = subprocess.run([LACQUER, "apply", "--fast", *map(str, args)], capture_output=True,
                          text=True, timeout=120, cwd=ROOT)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def one_worker():
    """A server with a single codec, which therefore decodes every picture."""
    running = Server("--log-level", "warn", "--workers", "1", "--max-wait", "60000")
    yield running
    status, said = running.stop()
    assert status == 0 and "Sanitizer" not in said, said


def ask(server, name):
    return httpx.post(f"{server.url}/api/v1/nails", content=read(name), timeout=60,
                      headers={"Content-Type": "image/jpeg"})


def test_no_decoding_table_leaks_into_the_next_picture(one_worker):
    alone = ask(one_worker, "webcam-frame.jpg")
    assert alone.status_code == 200
    assert ask(one_worker, "no-quantisation-tables.jpg").status_code == 422
    assert ask(one_worker, "optimised.jpg").status_code == 200
    after = ask(one_worker, "webcam-frame.jpg")
    assert after.status_code == 200
    assert after.json()["nails"] == alone.json()["nails"]
    assert ask(one_worker, "no-quantisation-tables.jpg").status_code == 422


def test_apply_decodes_each_file_by_itself(tmp_path):
    names = ["optimised.jpg", "webcam-frame.jpg", "no-quantisation-tables.jpg"]
    done = apply(*(PICTURES / name for name in names), "-o", tmp_path, status=1)
    assert "no-quantisation-tables.jpg" in done.stderr and "1 of 3 pictures failed" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[:2])


@pytest.mark.parametrize("name", ["phone-trailer.jpg", "progressive-no-eoi.jpg"])
def test_what_follows_the_last_block_does_not_matter(one_worker, tmp_path, name):
    assert ask(one_worker, name).status_code == 200
    apply(PICTURES / name, "-o", tmp_path / "out.jpg")
    # With a quarter missing, it is not accepted as a picture.
    (tmp_path / "cut.jpg").write_bytes(read("phone-trailer.jpg")[:60000])
    done = apply(tmp_path / "cut.jpg", "-o", tmp_path / "cut-out.jpg", status=1)
    assert "cannot decode the JPEG" in done.stderr and not (tmp_path / "cut-out.jpg").exists()


# ---- colour profiles ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def nails(tmp_path_factory):
    """The positions of the nails on the hand that several pictures show."""
    path = tmp_path_factory.mktemp("nails") / "mask.png"
    apply(PICTURES / "hand-srgb.jpg", "--mask-out", path)
    return np.asarray(Image.open(path))


def in_space(picture, space):
    """Converted to another colour space, with its profile embedded."""
    source = Image.open(io.BytesIO(read("hand-srgb.jpg")))
    return ImageCms.profileToProfile(picture or source, ImageCms.createProfile("sRGB"), space,
                                     renderingIntent=1)


def profile(name):
    """Common kinds of profiles, built from the ones that PNG's chunks describe."""
    curves = {"linear": (.3127, .3290, .64, .33, .30, .60, .15, .06, 1.0),
              "adobe": (.3127, .3290, .64, .33, .21, .71, .15, .06, 1 / 2.19921875)}
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    numbers = curves[name]
    info.add(b"gAMA", struct.pack(">I", round(numbers[8] * 100000)))
    info.add(b"cHRM", struct.pack(">8I", *(round(n * 100000) for n in numbers[:8])))
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=info)
    path = pathlib.Path(tempfile.mkdtemp()) / "in.png"
    path.write_bytes(out.getvalue())
    apply(path, "-o", path.with_name("out.png"))
    return profile_of(path.with_name("out.png").read_bytes())


@pytest.mark.parametrize("finish", ["creme", "jelly", "metallic"])
@pytest.mark.parametrize("color", ["#d00010", "#00e030", "#2030c0"])
def test_the_same_polish_on_the_same_hand_in_display_p3(tmp_path, nails, color, finish):
    seen = {}
    for name in ("hand-p3.jpg", "hand-srgb.jpg"):
        apply(PICTURES / name, "-o", tmp_path / name, "--color", color, "--finish", finish)
        seen[name] = shown((tmp_path / name).read_bytes())
        assert profile_of((tmp_path / name).read_bytes()) == profile_of(read(name))
    p3, srgb = seen["hand-p3.jpg"], seen["hand-srgb.jpg"]
    assert delta_e(p3[nails > 250].mean(axis=0), srgb[nails > 250].mean(axis=0)) < 1
    assert np.median(delta_e(p3, srgb)[nails > 250]) < 1
    assert delta_e(p3, shown(read("hand-p3.jpg")))[nails == 0].mean() < 1


@pytest.mark.parametrize("space", ["adobe", "linear"])
def test_other_profiles_in_png(tmp_path, nails, space):
    icc = profile(space)
    assert icc
    picture = in_space(None, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    picture.save(tmp_path / "in.png", icc_profile=icc)
    apply(tmp_path / "in.png", "-o", tmp_path / "out.png", "--color", "#d00010")
    apply(PICTURES / "hand-srgb.jpg", "-o", tmp_path / "srgb.png", "--color", "#d00010")
    out = (tmp_path / "out.png").read_bytes()
    assert profile_of(out) == icc
    same = np.asarray(Image.open(io.BytesIO(out))) == np.asarray(picture)
    assert same.all(axis=2)[nails == 0].mean() > 0.999  # except where the outlines differ
    there, here = shown(out), shown((tmp_path / "srgb.png").read_bytes())
    assert delta_e(there[nails > 250].mean(axis=0), here[nails > 250].mean(axis=0)) < 1


def socketio(server, data):
    with server.socket("/socket.io/?EIO=4&transport=websocket") as socket:
        socket.recv(timeout=60)
        socket.send("40")
        while not socket.recv(timeout=60).startswith('42["connected"'):
            pass
        socket.send('451-["frame",{"image":{"_placeholder":true,"num":0}}]')
        socket.send(data)
        while not isinstance(reply := socket.recv(timeout=30), bytes):
            pass
        return reply


def bare(server, data):
    with server.socket() as socket:
        socket.send(data)
        return socket.recv(timeout=30)


def versioned(server, data):
    with server.v1() as socket:
        socket.send(frame(1, data))
        reply = socket.recv(timeout=30)
        return reply[reply.index(b"\xff\xd8\xff"):]


def base64_json(server, data):
    url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    reply = httpx.post(f"{server.url}/api/process_base64", json={"image": url}, timeout=60).json()
    return base64.b64decode(reply["image"].split(",")[1])


def multipart(server, data):
    return httpx.post(f"{server.url}/api/process", files={"image": data}, timeout=60,
                      headers={"Accept": "image/jpeg"}).content


def multipart_json(server, data):
    reply = httpx.post(f"{server.url}/api/process", files={"image": data}, timeout=60).json()
    return base64.b64decode(reply["image"].split(",")[1])


def blocks(pixels):
    return pixels.reshape(pixels.shape[0] // 16, 16, -1, 16, 3).mean(axis=(1, 3))


WAYS = [socketio, bare, versioned, base64_json, multipart, multipart_json]


@pytest.mark.parametrize("way", WAYS)
def test_every_output_keeps_the_profile(one_worker, way):
    data = read("hand-p3.jpg")
    reply = way(one_worker, data)
    assert profile_of(reply) == profile_of(data)
    # Skin is unchanged, except for grain, which a JPEG of quality 85 loses.
    assert np.median(delta_e(blocks(shown(reply)), blocks(shown(data)))) < 0.5
    assert profile_of(way(one_worker, read("hand-srgb.jpg"))) is None


def test_a_png_is_answered_with_its_profile(one_worker):
    out = io.BytesIO()
    icc = profile_of(read("hand-p3.jpg"))
    Image.open(PICTURES / "hand-p3.jpg").save(out, "PNG", icc_profile=icc)
    reply = multipart_json(one_worker, out.getvalue())
    assert reply[:4] == b"\x89PNG" and profile_of(reply) == icc


def test_a_profile_in_many_parts(one_worker, tmp_path):
    """Parts of a few bytes, in any order, as some programs write them."""
    icc, data = profile_of(read("hand-p3.jpg")), read("hand-srgb.jpg")
    pieces = [icc[at:at + 50] for at in range(0, len(icc), 50)]
    segments = [b"\xff\xe2" + struct.pack(">H", len(piece) + 16) + b"ICC_PROFILE\0" +
                bytes([number + 1, len(pieces)]) + piece for number, piece in enumerate(pieces)]
    whole = data[:2] + b"".join(reversed(segments)) + data[2:]
    assert profile_of(multipart(one_worker, whole)) == icc
    lost = data[:2] + b"".join(segments[1:]) + data[2:]  # is ignored
    assert profile_of(multipart(one_worker, lost)) is None


def test_a_broken_profile_is_ignored(one_worker, nails):
    whole = profile_of(read("hand-p3.jpg"))
    before = shown(multipart(one_worker, read("hand-srgb.jpg")))
    for icc in (whole[:200], whole[:128] + b"\xff" * 400, b"nothing of the kind" * 20):
        out = io.BytesIO()
        Image.open(PICTURES / "hand-srgb.jpg").save(out, "JPEG", quality=95, icc_profile=icc)
        reply = Image.open(io.BytesIO(multipart(one_worker, out.getvalue())))
        after = np.asarray(reply.convert("RGB")).astype(float)
        assert delta_e(after, before)[nails > 250].mean() < 2


def test_inks_and_grey(one_worker, tmp_path):
    for mode in ("CMYK", "L"):
        source = Image.open(PICTURES / "hand-srgb.jpg").convert(mode)
        source.save(tmp_path / "in.jpg", quality=95)
        apply(tmp_path / "in.jpg", "-o", tmp_path / "out.png")
        out = Image.open(tmp_path / "out.png")
        assert out.mode == "RGB" and out.size == source.size
        difference = delta_e(np.asarray(out).astype(float),
                             np.asarray(source.convert("RGB")).astype(float))
        assert np.median(difference) < 1.5


# ---- other containers ---------------------------------------------------------------------------

def saved(kind, turn=0, **options):
    """The Display P3 hand, or the same rotated with an orientation tag, in another file format."""
    out, picture, exif = io.BytesIO(), Image.open(PICTURES / "hand-p3.jpg"), Image.Exif()
    icc = picture.info["icc_profile"]
    if turn:
        picture, exif[0x112] = picture.transpose(Image.Transpose.ROTATE_90), 6
        options["exif"] = exif
    picture.save(out, kind, icc_profile=icc, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["webp", "avif"])
@pytest.mark.parametrize("turn", [0, 1])
def test_webp_and_avif(one_worker, tmp_path, kind, turn):
    data = saved(kind, turn, quality=90)
    (tmp_path / f"in.{kind}").write_bytes(data)
    apply(tmp_path / f"in.{kind}", "-o", tmp_path / "out.png")
    out = (tmp_path / "out.png").read_bytes()
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    reference = io.BytesIO()
    picture.save(reference, "PNG", icc_profile=picture.info["icc_profile"])
    for reply in (out, multipart(one_worker, data), bare(one_worker, data)):
        assert profile_of(reply) == profile_of(read("hand-p3.jpg"))
        assert np.median(delta_e(blocks(shown(reply)), blocks(shown(reference.getvalue())))) < 0.5
    reply = httpx.post(f"{one_worker.url}/api/v1/nails", content=data, timeout=60,
                       headers={"Content-Type": f"image/{kind}"})
    assert reply.status_code == 200 and reply.json()["nails"]
    assert (reply.json()["width"], reply.json()["height"]) == (640, 480)


def test_nothing_under_the_gpl_is_linked():
    """Debian's libheif includes an encoder under the GPL, so it is loaded at run time, never
    linked."""
    linked = subprocess.run(["ldd", LACQUER], capture_output=True, text=True, check=True).stdout
    assert "libavif" in linked
    assert not any(name in linked for name in ("libheif", "x265", "libde265", "x264"))


def test_heic_where_libheif_is(one_worker, tmp_path):
    data = read("hand-p3.heic")
    done = subprocess.run([LACQUER, "apply", "--fast", PICTURES / "hand-p3.heic", "-o",
                           tmp_path / "out.jpg"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        assert "apt-get install libheif1" in done.stderr
        pytest.skip("no libheif here")
    for reply in ((tmp_path / "out.jpg").read_bytes(), multipart(one_worker, data)):
        assert profile_of(reply) == profile_of(read("hand-p3.jpg"))
        assert np.median(delta_e(blocks(shown(reply)), blocks(shown(read("hand-p3.jpg"))))) < 1


def test_alpha_is_answered_as_png_and_written_as_webp(one_worker, tmp_path):
    picture = Image.open(PICTURES / "hand-srgb.jpg").convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save(tmp_path / "in.webp", quality=90)
    reply = multipart_json(one_worker, (tmp_path / "in.webp").read_bytes())
    assert Image.open(io.BytesIO(reply)).mode == "RGBA"
    apply(tmp_path / "in.webp", "-o", tmp_path / "out.webp")
    out = Image.open(tmp_path / "out.webp")
    assert (out.format, out.mode) == ("WEBP", "RGBA")
    difference = np.asarray(out)[..., 3].astype(int) - np.asarray(picture)[..., 3]
    assert abs(difference).mean() < 2


def test_webp_out_keeps_the_profile(tmp_path):
    apply(PICTURES / "hand-p3.jpg", "-o", tmp_path / "out.webp")
    out = (tmp_path / "out.webp").read_bytes()
    assert out[8:12] == b"WEBP" and profile_of(out) == profile_of(read("hand-p3.jpg"))


def test_what_is_written_into_a_folder(tmp_path):
    for kind in ("webp", "avif", "png"):
        (tmp_path / f"{kind}-in.{kind}").write_bytes(saved(kind))
    apply(*sorted(tmp_path.glob("*-in.*")), "-o", tmp_path / "out")
    names = {path.name: Image.open(path).format for path in (tmp_path / "out").iterdir()}
    assert names == {"webp-in.webp": "WEBP", "avif-in.jpg": "JPEG", "png-in.png": "PNG"}
    # If two pictures would get the same output file, neither is lost silently.
    (tmp_path / "avif-in.jpg").write_bytes(read("hand-srgb.jpg"))
    done = apply(tmp_path / "avif-in.avif", tmp_path / "avif-in.jpg", "-o", tmp_path / "out2",
                 status=1)
    assert "was just written for another picture" in done.stderr


@pytest.mark.parametrize("name", ["out.gif", "out.tiff", "out.heic", "out.jpgg"])
def test_unknown_endings_are_refused_before_anything_is_done(tmp_path, name):
    done = apply(PICTURES / "hand-srgb.jpg", "-o", tmp_path / name, status=2)
    assert ".jpg, .png or .webp" in done.stderr and not (tmp_path / name).exists()
    done = apply(tmp_path / "no such file", "--mask-out", tmp_path / "mask.jpg", status=2)
    assert "masks are written as .png" in done.stderr


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_unsupported_formats_are_named(one_worker, tmp_path, kind):
    Image.new("RGB", (8, 8)).save(tmp_path / "in.jpg", kind)
    done = apply(tmp_path / "in.jpg", "-o", tmp_path / "out.jpg", status=1)
    assert f"a {kind}" in done.stderr and "save it as a JPEG" in done.stderr
    reply = httpx.post(f"{one_worker.url}/api/process",
                       files={"image": (tmp_path / "in.jpg").read_bytes()})
    assert reply.status_code == 415 and f"a {kind}" in reply.json()["error"]


def test_empty_files_and_pictures_without_nails(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    assert "is empty" in apply(tmp_path / "empty.jpg", "--json", status=1).stderr
    Image.new("RGB", (320, 240), "gray").save(tmp_path / "wall.jpg")
    done = apply(tmp_path / "wall.jpg", "-o", tmp_path / "out.jpg")
    assert "wall.jpg': no nail found" in done.stderr and (tmp_path / "out.jpg").exists()
    assert apply(PICTURES / "hand-srgb.jpg", "-o", tmp_path / "out.jpg").stderr == ""


@pytest.mark.parametrize("size", [(12000, 9000), (16320, 12240)])
def test_photos_of_108_and_200_megapixels(tmp_path, size):
    big = Image.new("RGB", size, (190, 170, 160))
    hand = Image.open(PICTURES / "hand-srgb.jpg")
    big.paste(hand.resize((size[1] * 4 // 3, size[1])))
    big.save(tmp_path / "in.jpg", quality=70)
    done = apply(tmp_path / "in.jpg", "-o", tmp_path / "out.jpg")
    assert f"{size[0]}x{size[1]} pixels, more than 64 million: taken at" in done.stderr
    Image.MAX_IMAGE_PIXELS = None
    assert Image.open(tmp_path / "out.jpg").size == (size[0] // 2, size[1] // 2)
    assert "no nail" not in done.stderr
