"""The embedded digits are the published ones, and their split is fixed."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from clr_tui.engine.tasks.digits import FILE, read_digits

# From the data set's own documentation (optdigits.names, "examples in testing set").
PER_CLASS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_file_holds_what_digits_md_says():
    with np.load(FILE) as file:
        images, labels = file["images"], file["labels"]
    assert images.shape == (1797, 8, 8)
    assert images.max() == 16
    assert np.bincount(labels).tolist() == PER_CLASS
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == SHA256
    assert SHA256 in FILE.with_name("DIGITS.md").read_text(encoding="utf-8")


def test_the_file_equals_scikit_learns():
    published = pytest.importorskip("sklearn.datasets").load_digits()
    with np.load(FILE) as file:
        assert (file["images"] == published.images).all()
        assert (file["labels"] == published.target).all()


def test_values_span_the_whole_range():
    images = read_digits().images
    assert images.dtype == np.uint8
    assert images.shape == (1797, 1, 8, 8)
    # 17 amounts of ink stay 17 shades, black to white.
    assert np.unique(images)[[0, -1]].tolist() == [0, 255]
    assert len(np.unique(images)) == 17


def test_parts_are_stratified_disjoint_and_always_the_same():
    digits = read_digits()
    parts = [digits.train, digits.validation, digits.test]
    assert [len(part) for part in parts] == [1259, 269, 269]
    assert sorted(np.concatenate(parts)) == list(range(1797))
    for part in parts[1:]:
        shares = np.bincount(digits.labels[part]) / np.array(PER_CLASS)
        assert np.abs(shares - 0.15).max() < 0.005
    # Figures of different releases are comparable only as long as this holds.
    assert digits.test[:8].tolist() == [5, 16, 22, 26, 33, 38, 44, 47]
