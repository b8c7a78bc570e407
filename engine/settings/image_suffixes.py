"""The suffixes of image files, without importing Pillow or its plug-ins."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

PILLOW_SUFFIXES = frozenset(
    {
        *(".apng", ".avif", ".avifs", ".blp", ".bmp", ".bw", ".cur", ".dcx", ".dds", ".dib"),
        *(".fit", ".fits", ".flc", ".fli", ".ftc", ".ftu", ".gbr", ".gif", ".icb", ".icns"),
        *(".ico", ".im", ".j2c", ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg"),
        *(".jpx", ".mpo", ".msp", ".pbm", ".pcd", ".pcx", ".pfm", ".pgm", ".png", ".pnm", ".ppm"),
        *(".psd", ".pxr", ".qoi", ".ras", ".rgb", ".rgba", ".sgi", ".tga", ".tif", ".tiff"),
        *(".vda", ".vst", ".webp", ".xbm", ".xpm"),
    }
)
"""The raster formats that Pillow reads by itself; not .h5, .mpg, .pdf or .eps."""


@dataclass(frozen=True)
class PlugIn:
    """A package that teaches Pillow one more format."""

    package: str
    """As `pip install` calls it."""
    module: str
    format: str
    """As Pillow calls it."""
    suffixes: tuple[str, ...]
    register: str = ""
    """The function to call; empty if importing the module is enough."""

    @property
    def is_installed(self) -> bool:
        """Whether the module could be imported."""
        return importlib.util.find_spec(self.module) is not None


PLUG_INS = (
    PlugIn(
        package="pillow-heif",
        module="pillow_heif",
        format="HEIF",
        suffixes=(".heic", ".heics", ".heif", ".heifs", ".hif"),
        register="register_heif_opener",
    ),
    PlugIn(package="pillow-jxl-plugin", module="pillow_jxl", format="JXL", suffixes=(".jxl",)),
)


def image_suffixes() -> frozenset[str]:
    """The lower-case suffixes that can be read on this machine, each with its dot."""
    added = {suffix for plug_in in PLUG_INS if plug_in.is_installed for suffix in plug_in.suffixes}
    return PILLOW_SUFFIXES | added


def package_for(suffix: str) -> str:
    """The package to install for reading such files; empty if none is known."""
    for plug_in in PLUG_INS:
        if suffix in plug_in.suffixes and not plug_in.is_installed:
            return plug_in.package
    return ""
