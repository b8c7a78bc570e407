"""The verdict on curves made on purpose: 200 that deserve no recommendation, 200 that do."""

from __future__ import annotations

import pytest
from advise import said_of
from made_curves import deserving, undeserving

pytestmark = pytest.mark.slow


def test_no_curve_that_deserves_none_gets_a_recommendation():
    assert [case.kind for case in undeserving() if said_of(case).recommended is not None] == []


def test_at_most_a_twentieth_of_good_curves_is_refused():
    refused = [said_of(case).verdict for case in deserving() if said_of(case).recommended is None]
    assert len(refused) <= 10, refused
