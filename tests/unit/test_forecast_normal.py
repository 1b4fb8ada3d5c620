"""The normal distribution and chi squared against SciPy, over all that a double can hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from leuko.forecast.normal import chi_squared_above, log_normal_below, normal_at, normal_below

WIDE = np.concatenate([np.linspace(-37.0, 9.0, 50_001), [0.0, -0.0, np.inf]])


def test_the_share_below_is_scipys() -> None:
    assert normal_below(WIDE) == pytest.approx(special.ndtr(WIDE), rel=1e-12, abs=0.0)
    assert normal_below(np.array([[-np.inf, np.nan]])).tolist()[0][0] == 0.0
    assert np.isnan(normal_below(np.array([np.nan]))).all()


def test_its_logarithm_keeps_its_digits_far_out() -> None:
    far = np.concatenate([WIDE[:-1], [-1e3, -1e6]])
    assert log_normal_below(far) == pytest.approx(special.log_ndtr(far), rel=1e-12, abs=1e-300)


def test_the_place_of_a_share_is_scipys() -> None:
    shares = np.concatenate([-np.geomspace(1e-12, 1e5, 2001), np.log([0.5, 0.25, 0.975])])
    assert normal_at(shares) == pytest.approx(special.ndtri_exp(shares), rel=1e-9, abs=1e-12)
    assert normal_below(normal_at(np.log([0.1, 0.6]))) == pytest.approx([0.1, 0.6])


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 15, 40])
def test_the_tail_of_chi_squared_is_scipys(freedom: int) -> None:
    for x in (0.0, 1e-9, 0.01, 0.5, 1.0, 3.0, 10.0, 100.0, 1300.0):
        assert chi_squared_above(x, freedom) == pytest.approx(special.gammaincc(freedom / 2, x / 2), rel=1e-10)
    assert chi_squared_above(1e4, freedom) == 0.0
