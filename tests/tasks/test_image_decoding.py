"""Files to small square images: geometry, colour, damaged files, memory."""

from __future__ import annotations

import io
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from made_images import save_image
from PIL import Image

from clr_tui.engine.tasks.decode import CHUNK, decode


def decode_one(path: Path, size: int) -> np.ndarray:
    decoded = decode([path], size, lambda done: None)
    assert decoded.reasons == []
    return decoded.images[0]


def halves(width: int, height: int) -> np.ndarray:
    """Left half red, right half blue; the top row of blocks is green."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2] = (255, 0, 0)
    pixels[:, width // 2 :] = (0, 0, 255)
    pixels[: height // 4] = (0, 255, 0)
    return pixels


def test_pixels_of_the_wanted_size_are_untouched(tmp_path):
    save_image(tmp_path / "a.png", seed=3, size=(16, 16))
    expected = np.asarray(Image.open(tmp_path / "a.png")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_one(tmp_path / "a.png", 16), expected)


@pytest.mark.parametrize(("width", "height"), [(48, 32), (32, 48)])
def test_the_centre_is_kept_whole(tmp_path, width, height):
    pixels = np.full((height, width, 3), 255, dtype=np.uint8)
    top, left = (height - 32) // 2, (width - 32) // 2
    pixels[top : top + 32, left : left + 32] = 10
    Image.fromarray(pixels).save(tmp_path / "a.png")
    # Beyond its edge the filter may take a little of what is cut off.
    assert (decode_one(tmp_path / "a.png", 16)[:, 1:-1, 1:-1] == 10).all()


def test_large_jpegs_come_out_as_a_full_decoding_would(tmp_path):
    smooth = np.add.outer(np.linspace(0, 120, 600), np.linspace(0, 120, 600))
    Image.fromarray(np.dstack([smooth] * 3).astype(np.uint8)).save(tmp_path / "a.jpg", quality=95)
    with Image.open(tmp_path / "a.jpg") as image:
        expected = image.resize((32, 32), Image.Resampling.BOX)
    difference = decode_one(tmp_path / "a.jpg", 32).astype(int) - np.asarray(
        expected, dtype=int
    ).transpose(2, 0, 1)
    assert np.abs(difference).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(tmp_path, orientation):
    """Whatever way the camera was held, the picture comes out upright."""
    upright = Image.fromarray(halves(32, 32))
    # How the camera stores it: the inverse of what the reader must do (EXIF 2.3, tag 0x0112).
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = upright if stored is None else upright.transpose(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    expected = np.asarray(upright).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_one(tmp_path / "a.png", 32), expected)


def test_grey_stays_one_channel_only_where_all_are_grey(tmp_path):
    save_image(tmp_path / "grey.png", seed=1, mode="L")
    save_image(tmp_path / "colour.png", seed=2)
    grey, colour = tmp_path / "grey.png", tmp_path / "colour.png"
    assert decode([grey, grey], 8, lambda done: None).images.shape == (2, 1, 8, 8)
    both = decode([grey, colour], 8, lambda done: None).images
    assert both.shape == (2, 3, 8, 8)
    assert (both[0] == both[0, :1]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I", "F"])
def test_every_mode_is_read(tmp_path, mode):
    suffix = "tif" if mode in ("CMYK", "I", "F") else "png"
    Image.new("L", (12, 12), 255).convert(mode).save(tmp_path / f"a.{suffix}")
    assert decode_one(tmp_path / f"a.{suffix}", 8).shape[1:] == (8, 8)


def test_damaged_files_are_left_out_and_explained(tmp_path):
    for name in "abc":
        save_image(tmp_path / f"{name}.png", seed=ord(name), size=(64, 64))
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("this is no image")
    (tmp_path / "empty.png").touch()
    names = ["a.png", "b.png", "text.png", "c.png", "empty.png", "gone.png"]
    files = [tmp_path / name for name in names]
    decoded = decode(files, 8, lambda done: None)
    assert decoded.readable.tolist() == [True, False, False, True, False, False]
    assert len(decoded.reasons) == 4
    assert decoded.reasons[1] == "not a raster image that Pillow can read, or a damaged one"
    assert decoded.reasons[3] == "No such file or directory"
    np.testing.assert_array_equal(decoded.images[1], decode_one(tmp_path / "c.png", 8))


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"


def in_iptc(content: bytes) -> bytes:
    """A file of IPTC, which holds an image of any other format: band, size, compression, data."""

    def field(record: int, dataset: int, data: bytes) -> bytes:
        return bytes([0x1C, record, dataset]) + len(data).to_bytes(2, "big") + data

    head = field(3, 60, b"\1\0") + field(3, 65, b"\0") + field(3, 20, b"\0\x09")
    head += field(3, 30, b"\0\x09") + field(3, 120, b"\5")
    return head + field(8, 10, content)


@pytest.mark.parametrize(
    "content",
    [POSTSCRIPT, in_iptc(POSTSCRIPT), b"%PDF-1.7\n"],
    ids=["postscript", "postscript in iptc", "pdf"],
)
@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tiff"])
def test_no_program_is_started_for_a_drawing(tmp_path, monkeypatch, content, name):
    """Pillow goes by the content, and would have Ghostscript run a PostScript file."""
    started: list[object] = []
    for call in ("check_call", "call", "run", "Popen"):
        monkeypatch.setattr(subprocess, call, lambda *args, **kwargs: started.append(args))
    (tmp_path / name).write_bytes(content)
    decoded = decode([tmp_path / name], 8, lambda done: None)
    assert decoded.reasons == ["not a raster image that Pillow can read, or a damaged one"]
    assert started == []


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "JPEG2000", "TGA", "ICO", "PCX"]
)
def test_every_usual_raster_format_is_read_whatever_its_name(tmp_path, kind):
    Image.new("RGB", (32, 32), (200, 10, 10)).save(tmp_path / "x", format=kind)
    (tmp_path / "x").rename(tmp_path / "x.png")
    red, green, _ = decode_one(tmp_path / "x.png", 8)
    assert red.min() > 180
    assert green.max() < 40


def test_order_and_progress_with_many_files(tmp_path):
    count = 3 * CHUNK + 5
    for i in range(count):
        Image.new("L", (8, 8), i).save(tmp_path / f"{i}.png")
    seen: list[int] = []
    decoded = decode([tmp_path / f"{i}.png" for i in range(count)], 8, seen.append)
    assert decoded.images[:, 0, 0, 0].tolist() == list(range(count))
    assert seen == [CHUNK, 2 * CHUNK, 3 * CHUNK, count]


def test_an_error_from_progress_ends_the_work(tmp_path):
    """So a worker that is told to stop does not decode to the end first."""
    image = io.BytesIO()
    Image.new("L", (8, 8)).save(image, "png")
    (tmp_path / "a.png").write_bytes(image.getvalue())
    calls: list[int] = []

    def stop(done: int) -> None:
        calls.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode([tmp_path / "a.png"] * (100 * CHUNK), 8, stop)
    assert len(calls) == 1
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]
