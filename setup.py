"""Finds the packages, which pyproject.toml cannot: their folders lack the leading clr_tui."""

from setuptools import find_packages, setup

FOLDERS = find_packages(include=["engine", "engine.*", "tui", "tui.*"])
PUBLIC = find_packages(include=["clr_tui", "clr_tui.*"])

setup(packages=[*PUBLIC, *(f"clr_tui.{folder}" for folder in FOLDERS)])
