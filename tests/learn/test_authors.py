"""Authors' forecasts, scored together."""

from __future__ import annotations

import pytest

from hark.learn.authors import Author, authors
from hark.learn.scored import Forecast


def test_who_hopes_too_much_has_a_bias_below_nought() -> None:
    """Two forecasts of one author, one of another, by hand; the least far off comes first."""
    told = [
        ("ann", "b", Forecast(0.05, -0.03, False)),
        ("ben", "c", Forecast(0.02, 0.01, True)),
        ("ann", "a", Forecast(0.01, 0.01, True)),
    ]
    ben, ann = authors(told)
    assert ben == Author("ben", 1, 1, 0.01, 0.01, ("c",))
    assert (ann.author, ann.forecasts, ann.inside, ann.campaigns) == ("ann", 2, 1, ("a", "b"))
    assert ann.bias == pytest.approx(-0.01)
    assert ann.error == pytest.approx(0.02)
    assert authors([]) == []
