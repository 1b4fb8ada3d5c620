"""Exact arithmetic on printed decimals, in whole numbers, and rounding as Python rounds."""

from __future__ import annotations

import math

import numpy as np

from leuko.cohort.kernel.compiled import compiled
from leuko.cohort.kernel.layout import AT_LEAST, AT_MOST, EQUAL, LESS, MORE

MOST_DECIMALS = 9
TENS = np.array([10**power for power in range(19)], dtype=np.int64)
FLOAT_TENS = np.array([10.0**power for power in range(23)])
_WHOLE = 1e12  # numbers of more digits are left to exact fractions
_LEAST = 1e-4  # Python writes smaller ones with an exponent
_EXACT = 9e15  # whole numbers up to here are doubles
_FITS = 9e18
_MILLIONTHS = 1e6
_SPLIT = 134217729.0  # 2^27 + 1


@compiled
def decimal(value):
    """A double as the shortest decimal that gives it: (whole, decimals), decimals -1 where it is no short one."""
    if value != 0.0 and value < _LEAST:
        return np.int64(0), -1
    for decimals in range(MOST_DECIMALS + 1):
        scaled = value * FLOAT_TENS[decimals]
        if scaled > _WHOLE:
            break
        whole = np.rint(scaled)
        if whole / FLOAT_TENS[decimals] == value:
            return np.int64(whole), decimals
    return np.int64(0), -1


@compiled
def printed(value, digits):
    """The decimal with at least the digits that were printed."""
    whole, decimals = decimal(value)
    if decimals < 0 or digits <= decimals:
        return whole, decimals
    if digits > MOST_DECIMALS or whole * FLOAT_TENS[digits - decimals] > _WHOLE:
        return whole, -1
    return whole * TENS[digits - decimals], digits


@compiled
def span(whole, bound):
    """The ends of what a printed number may stand for, in halves of its last digit; -1: no upper end."""
    least = np.int64(0) if bound <= AT_MOST else max(2 * whole - 1, np.int64(0))
    return least, np.int64(-1) if bound >= MORE else 2 * whole + 1


@compiled
def joined(one, other):
    """The bound of what is made from two: -1 where they point in opposite directions."""
    if one == EQUAL:
        return other
    if other == EQUAL:
        return one
    if one <= AT_MOST and other <= AT_MOST:
        return LESS if one == LESS or other == LESS else AT_MOST
    if one >= MORE and other >= MORE:
        return MORE if one == MORE or other == MORE else AT_LEAST
    return -1


@compiled
def fits(one, other):
    """Whether a product is a whole number that a double holds exactly."""
    return float(one) * float(other) < _EXACT


@compiled
def above(left, left_factor, right, right_factor):
    """Whether left x left_factor > right x right_factor: 1, 0, or -1 where that is more than 64 bits hold."""
    if float(left) * float(left_factor) >= _FITS or float(right) * float(right_factor) >= _FITS:
        return -1
    return 1 if left * left_factor > right * right_factor else 0


@compiled
def _low_part(value):
    big = _SPLIT * value
    return value - (big - (big - value))


@compiled
def rounded(value):
    """`round(value, 6)`: to the nearest millionth of the exact value of the double, ties to even."""
    product = value * _MILLIONTHS
    value_low, factor_low = _low_part(value), _low_part(_MILLIONTHS)
    value_high, factor_high = value - value_low, _MILLIONTHS - factor_low
    rest = ((value_high * factor_high - product) + value_high * factor_low + value_low * factor_high) + (
        value_low * factor_low
    )
    floor = math.floor(product)
    over = (product - floor - 0.5) + rest
    if over > 0.0 or (over == 0.0 and floor % 2 != 0):
        floor += 1
    return floor / _MILLIONTHS
