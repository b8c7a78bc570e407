"""Pixels of every kind: deep ones, transparent ones, palettes, CMYK, with odd EXIF data."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_images import save_deep_png, save_tiff
from PIL import Image

from clr_tui.engine.tasks.decode import Decoded, decode


def decode_all(*files: Path, size: int = 8) -> Decoded:
    decoded = decode(files, size, lambda done: None)
    assert decoded.reasons == []
    return decoded


def by_range(*images: np.ndarray) -> list[np.ndarray]:
    """What should be seen: all scaled by the range of all."""
    low, high = min(i.min() for i in images), max(i.max() for i in images)
    return [(image.astype(float) - low) / (float(high) - float(low)) * 255 for image in images]


def check_shades(found: Decoded | np.ndarray, expected: list[np.ndarray]) -> None:
    """Each (8, 8), or (8, 8, channels); to one level of 256."""
    images = found.images if isinstance(found, Decoded) else found
    for image, wanted in zip(images, expected, strict=True):
        channels = np.atleast_3d(wanted).transpose(2, 0, 1)
        assert np.abs(image.astype(float) - channels).max() <= 1


def dark_and_bright(dtype: str, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Two images (8, 8), from `low` to the middle, and from there to `high`."""
    shades = np.linspace(low, high, 128).reshape(2, 8, 8).astype(dtype)
    return shades[0], shades[1]


DEPTHS = [
    ("uint16", 0, 209, "png", "16-bit", "0 to 209"),
    ("uint16", 0, 4095, "tif", "16-bit", "0 to 4095"),
    ("uint16", 30_000, 34_000, "png", "16-bit", "30000 to 34000"),
    ("uint16", 0, 65_535, "png", "16-bit", "0 to 65535"),
    ("int32", 0, 74_436, "tif", "32-bit", "0 to 74436"),
    ("int32", -(2**31), 2**31 - 1, "tif", "32-bit", "-2.14748e+09 to 2.14748e+09"),
    ("float32", 0, 1, "tif", "floating-point", "0 to 1"),
    ("float32", -1, 1, "tif", "floating-point", "-1 to 1"),
    ("float32", -3e38, 3e38, "tif", "floating-point", "-3e+38 to 3e+38"),
    ("float32", 1e-42, 1e-40, "tif", "floating-point", "1.00053e-42 to 9.99995e-41"),
]


@pytest.mark.parametrize(("dtype", "low", "high", "ending", "kind", "words"), DEPTHS)
def test_deep_grey_is_scaled_by_the_range_of_all(tmp_path, dtype, low, high, ending, kind, words):
    images = dark_and_bright(dtype, low, high)
    files = [tmp_path / f"{number}.{ending}" for number in range(2)]
    for file, image in zip(files, images, strict=True):
        Image.fromarray(image).save(file)
    decoded = decode_all(*files)
    check_shades(decoded, by_range(*images))
    assert decoded.images.shape == (2, 1, 8, 8)
    assert decoded.notes == [
        f"2 images have {kind} pixels, from {words}: all scaled by this range to 0 to 255"
    ]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int8", -128, 127),
        ("<u2", 0, 300),
        (">u2", 0, 300),
        ("<i2", -300, 300),
        (">i2", -300, 300),
        ("<u4", 0, 2**32 - 1),
        ("<i4", -300, 300),
        (">i4", -300, 300),
        ("<f4", -0.5, 0.5),
        (">f4", -0.5, 0.5),
    ],
)
def test_tiff_in_either_byte_order(tmp_path, dtype, low, high, compressed):
    images = dark_and_bright(dtype, low, high)
    files = [tmp_path / f"{number}.tif" for number in range(2)]
    for file, image in zip(files, images, strict=True):
        save_tiff(file, image[..., np.newaxis], compressed=compressed)
    check_shades(decode_all(*files), by_range(*images))


def test_tiff_where_white_is_zero(tmp_path):
    image = np.arange(64, dtype="<u2").reshape(8, 8) * 10
    save_tiff(tmp_path / "a.tif", image[..., np.newaxis], photometric=0)
    check_shades(decode_all(tmp_path / "a.tif"), by_range(65535 - image))


def test_what_pillow_reads_wrongly_is_skipped(tmp_path):
    image = np.arange(192, dtype="<u2").reshape(8, 8, 3)
    save_tiff(tmp_path / "a.tif", image, planes=2)
    decoded = decode([tmp_path / "a.tif"], 8, lambda done: None)
    assert decoded.reasons == [
        "its 16-bit channels lie one after another, which Pillow cannot read"
    ]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("alpha", [1, 2], ids=["premultiplied", "separate"])
def test_deep_tiff_on_white(tmp_path, order, alpha):
    image = np.zeros((8, 8, 4), dtype=f"{order}u2")
    image[..., 3] = 43_690  # two thirds
    image[..., 0] = 10_000 * (2 if alpha == 1 else 3)
    save_tiff(tmp_path / "a.tif", image, alpha=alpha)
    decoded = decode_all(tmp_path / "a.tif")
    assert decoded.notes[0].startswith("1 image has 16-bit pixels, from 0 to 30000: ")
    assert decoded.images[0, :, 0, 0].tolist() == [255, 85, 85]


@pytest.mark.parametrize("high", [200, 4095, 65_535])
@pytest.mark.parametrize("kind", ["png", "little.tif", "big.tif"])
def test_deep_colours_keep_both_bytes(tmp_path, kind, high):
    image = np.random.default_rng(0).integers(0, high, (8, 8, 3), endpoint=True)
    file = tmp_path / f"a.{kind}"
    if kind == "png":
        save_deep_png(file, image)
    else:
        save_tiff(file, image.astype("<u2" if kind == "little.tif" else ">u2"))
    check_shades(decode_all(file), by_range(image))


@pytest.mark.parametrize("high", [200, 1023, 65_535])
def test_deep_netpbm_colours(tmp_path, high):
    image = np.random.default_rng(0).integers(0, high, (8, 8, 3), endpoint=True)
    head = f"P6 8 8 {max(high, 256)}\n".encode()
    (tmp_path / "a.ppm").write_bytes(head + image.astype(">u2").tobytes())
    check_shades(decode_all(tmp_path / "a.ppm"), by_range(image))


def test_netpbm_colours_of_8_bits_stay_as_they_are(tmp_path):
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "a.ppm")
    decoded = decode_all(tmp_path / "a.ppm")
    assert decoded.images[0, :, 0, 0].tolist() == [1, 2, 3]
    assert decoded.notes == []


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_compressed_deep_grey(tmp_path, compression):
    image = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    Image.fromarray(image).save(tmp_path / "a.tif", compression=compression)
    check_shades(decode_all(tmp_path / "a.tif"), by_range(image))


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("depth", [255, 65_535])
def test_a_deep_drawing_in_the_alpha_channel_is_on_white(tmp_path, channels, depth):
    """Black everywhere; beside it a picture that is not, of few of the values that there may be."""
    drawing = np.zeros((8, 8, channels), dtype=np.int64)
    drawing[:4, :, -1] = 65_535
    plain = np.random.default_rng(0).integers(0, depth, (8, 8, channels), endpoint=True)
    plain[0, 0, :-1], plain[0, 1, :-1], plain[..., -1] = 0, depth, 65_535
    save_deep_png(tmp_path / "a.png", drawing)
    save_deep_png(tmp_path / "b.png", plain)
    decoded = decode_all(tmp_path / "a.png", tmp_path / "b.png")
    assert decoded.images.shape[1] == channels - 1
    assert (decoded.images[0, :, :4] == 0).all()
    assert (decoded.images[0, :, 4:] == 255).all()
    check_shades(decoded.images[1:], by_range(plain[..., :-1]))
    assert decoded.notes == [
        f"2 images have 16-bit pixels, from 0 to {depth}: all scaled by this range to 0 to 255",
        "1 image is transparent in places: shown on white",
    ]


def test_a_deep_image_that_shows_nothing_is_white(tmp_path):
    save_deep_png(tmp_path / "a.png", np.zeros((8, 8, 4), dtype=np.int64))
    assert (decode_all(tmp_path / "a.png").images == 255).all()


@pytest.mark.parametrize("clear", [(500,), (500, 0, 7)], ids=["grey", "colours"])
def test_a_deep_colour_that_is_transparent_is_white(tmp_path, clear):
    image = np.zeros((8, 8, len(clear)), dtype=np.int64)
    image[:4] = clear
    image[4:, :, 0] = 400
    image[7, :, 0] = 300
    save_deep_png(tmp_path / "a.png", image, clear)
    decoded = decode_all(tmp_path / "a.png")
    assert (decoded.images[0, :, :4] == 255).all()
    assert decoded.images[0, 0, 4].tolist() == [255] * 8
    assert decoded.images[0, 0, 7].tolist() == [0 if len(clear) == 1 else 191] * 8
    assert decoded.notes[1] == "1 image is transparent in places: shown on white"


def test_images_of_8_bits_beside_deep_ones_stay_as_they_are(tmp_path):
    shallow, deep = np.full((8, 8), 50, np.uint8), np.full((8, 8), 1000, np.uint16)
    deep[0] = 3000
    Image.fromarray(shallow).save(tmp_path / "a.png")
    Image.fromarray(deep).save(tmp_path / "b.png")
    images = decode_all(tmp_path / "a.png", tmp_path / "b.png").images
    assert (images[0] == 50).all()
    assert (images[1, 0, 0] == 255).all()
    assert (images[1, 0, 1:] == 0).all()


def test_a_range_goes_on_behind_an_unreadable_file(tmp_path):
    dark, bright = dark_and_bright("uint16", 0, 1000)
    Image.fromarray(dark).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    Image.fromarray(bright).save(tmp_path / "c.png")
    decoded = decode([tmp_path / f"{name}.png" for name in "abc"], 8, lambda done: None)
    check_shades(decoded, by_range(dark, bright))


def test_values_that_are_not_finite(tmp_path):
    image = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    image[0, :3] = (np.nan, np.inf, -np.inf)
    Image.fromarray(image).save(tmp_path / "a.tif")
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "b.tif")
    decoded = decode([tmp_path / "a.tif", tmp_path / "b.tif"], 8, lambda done: None)
    assert decoded.images[0, 0, 0, :3].tolist() == [0, 255, 0]
    assert decoded.notes[1] == (
        "1 image has pixels that are not finite numbers: NaN counts as the lowest value"
    )
    assert decoded.reasons == ["none of its pixels is a finite number"]


def see_through(mode: str) -> Image.Image:
    """Black; the left half is opaque, the right half fully transparent."""
    alpha = Image.new("L", (8, 8), 0)
    alpha.paste(255, (0, 0, 4, 8))
    if mode in ("LA", "RGBA"):
        image = Image.new(mode[:-1], (8, 8), "black")
        image.putalpha(alpha)
        return image
    if mode == "P":
        image = Image.new("P", (8, 8), 1)
        image.putpalette([0, 0, 0, 0, 0, 0])
        image.paste(0, (4, 0, 8, 8))
        return image
    # A colour that stands for nothing.
    return Image.composite(Image.new(mode, (8, 8), "black"), Image.new(mode, (8, 8), "red"), alpha)


KEYS: dict[str, object] = {"P": 0, "RGB": (255, 0, 0), "L": 76}


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "RGB", "L"])
def test_what_is_transparent_is_white(tmp_path, mode):
    key = {"transparency": KEYS[mode]} if mode in KEYS else {}
    see_through(mode).save(tmp_path / "a.png", **key)
    decoded = decode_all(tmp_path / "a.png")
    assert (decoded.images[..., :4] == 0).all()
    assert (decoded.images[..., 4:] == 255).all()
    assert decoded.notes == ["1 image is transparent in places: shown on white"]


def test_half_transparent_is_half_white(tmp_path):
    Image.new("RGBA", (8, 8), (200, 0, 100, 51)).save(tmp_path / "a.png")
    colour = decode_all(tmp_path / "a.png").images[0, :, 0, 0]
    # 0.2 of the colour, 0.8 of white.
    assert colour.tolist() == [244, 204, 224]


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_first_of_several_frames_is_used(tmp_path, kind, count):
    frames = [Image.new("L", (8, 8), 100 * number) for number in range(count)]
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(tmp_path / "a", kind, save_all=True, append_images=frames[1:], **options)
    decoded = decode_all(tmp_path / "a")
    assert (decoded.images == 0).all()
    said = ["1 image has several frames or pages: only the first is used"]
    assert decoded.notes == (said if count > 1 else [])


def test_an_opaque_alpha_channel_is_nothing_to_speak_of(tmp_path):
    Image.new("RGBA", (8, 8), (10, 20, 30, 255)).save(tmp_path / "a.png")
    decoded = decode_all(tmp_path / "a.png")
    assert decoded.images[0, :, 0, 0].tolist() == [10, 20, 30]
    assert decoded.notes == []


def test_an_unused_fourth_channel_hides_nothing(tmp_path):
    Image.new("RGBA", (8, 8), (10, 20, 30, 0)).save(tmp_path / "a.tga")
    assert decode_all(tmp_path / "a.tga").images[0, :, 0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    ("colours", "rgb"),
    [((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 0), (255, 255, 255)), ((0, 0, 0, 255), (0, 0, 0))],
)
@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_inks_become_colours(tmp_path, colours, rgb, ending):
    Image.new("CMYK", (16, 16), colours).save(tmp_path / f"a.{ending}")
    found = decode_all(tmp_path / f"a.{ending}").images[0, :, 4, 4].astype(int)
    assert np.abs(found - rgb).max() <= 2


ODD = {
    "no header": b"no TIFF header",
    "nonsense": b"Exif\0\0garbage garbage garbage",
    "leads nowhere": b"Exif\0\0II*\0\xff\xff\xff\xff",
    "cut short": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3",
    "a name for a number": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\2\0\0\0\2A\0\0\0\0\0\0\0",
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("odd", ODD)
def test_a_photo_with_odd_exif_data_is_used_as_it_is_stored(tmp_path, kind, odd):
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, kind, exif=ODD[odd])
    # Pillow leaves out the header that JPEG needs.
    data = content.getvalue()
    if kind == "JPEG" and not ODD[odd].startswith(b"Exif"):
        data = data.replace(ODD[odd], b"Exif\0\0".ljust(len(ODD[odd]), b"?"))
    (tmp_path / "a").write_bytes(data)
    decoded = decode_all(tmp_path / "a")
    assert decoded.images[0, 0].min() > 200
    assert decoded.notes == [
        "1 image has EXIF data that cannot be read: used as stored, without rotation"
    ]


def test_an_orientation_is_obeyed_though_other_tags_are_odd(tmp_path):
    """Pillow's own function fails while it writes the tags again."""
    head = b"Exif\0\0MM\0*\0\0\0\x08\0\2"
    orientation = struct.pack(">HHIHH", 0x0112, 3, 1, 3, 0)
    resolution = struct.pack(">HHI4s", 0x011A, 2, 2, b"A")  # text, where a fraction should be
    image = np.zeros((8, 8, 3), np.uint8)
    image[0] = 255
    Image.fromarray(image).save(tmp_path / "a.png", exif=head + orientation + resolution + bytes(4))
    decoded = decode_all(tmp_path / "a.png")
    assert (decoded.images[0, :, 7] == 255).all()
    assert decoded.notes == []


def test_deep_images_are_rotated_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    image = np.zeros((8, 8), np.uint16)
    image[0] = 1000
    Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
    assert (decode_all(tmp_path / "a.png").images[0, 0, 7] == 255).all()


PLUG_IN = """
from PIL import Image, PngImagePlugin

class Reader(PngImagePlugin.PngImageFile):
    format = "HEIF"

    def _open(self):
        assert self.fp.read(4) == b"heic"
        self.fp = io.BytesIO(self.fp.read())
        super()._open()

def register_heif_opener():
    Image.register_open("HEIF", Reader, lambda start: start[:4] == b"heic")

import io
"""


def test_a_plug_in_reads_its_format(tmp_path):
    """One of our own making, in a process that finds it where pillow-heif would be."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (1, 2, 3)).save(content, "PNG")
    (tmp_path / "a.heic").write_bytes(b"heic" + content.getvalue())
    script = (
        "import sys\n"
        "from clr_tui.engine.tasks.pictures import read_pictures\n"
        "(found,) = read_pictures(sys.argv[1:], 8)\n"
        "print(found if isinstance(found, str) else found.values[::64].hex())\n"
    )

    def read() -> str:
        command = [sys.executable, "-c", script, str(tmp_path / "a.heic")]
        path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
        environment = os.environ | {"PYTHONPATH": path}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    (tmp_path / "pillow_heif.py").write_text(PLUG_IN)
    assert read() == "010203"
    (tmp_path / "pillow_heif.py").write_text("raise ImportError('libheif is missing')")
    assert read() == "not a raster image that Pillow can read, or a damaged one"
