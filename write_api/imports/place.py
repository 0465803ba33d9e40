"""Coordinates as files hold them: degrees, California State Plane feet, and the sentinels for "not known"."""

from math import atan, cos, degrees, log, pi, radians, sin, sqrt, tan
from typing import Final

from events.reads import Place

SENTINELS: Final = frozenset({0.0, 99999.0, -1.0, 999999.0})
"""Numbers that mean "missing" where a coordinate should stand; (0, 0) lies in the sea off Africa."""

_HALF_TURN: Final = 180
_POLE: Final = 90

_FOOT: Final = 1200 / 3937
"""US survey foot in metres (National Bureau of Standards, 1893)."""

_A: Final = 6378137.0
_E: Final = sqrt(2 / 298.257222101 - 1 / 298.257222101**2)
"""GRS 80: the ellipsoid of NAD 83, within two metres of WGS 84 in California."""

# EPSG:2229, NAD 83 / California zone 5 (ftUS): Lambert conformal conic with two standard parallels.
_PARALLELS: Final = (radians(35 + 28 / 60), radians(34 + 2 / 60))
_ORIGIN: Final = (radians(33.5), radians(-118.0))
_FALSE: Final = (2_000_000.0, 500_000.0)
_EXTENT: Final = (4_000_000.0, 9_000_000.0)
"""Eastings in feet that lie anywhere near the zone: a number in between is one of its coordinates."""


def place_of(x: str | None, y: str | None, text: str | None) -> Place | None:
    """Return the place of a longitude or easting, a latitude or northing, and an address; `None` where empty.

    A pair that is missing, a sentinel, or on no known grid is dropped; the address stays.
    """
    latitude, longitude = _degrees(_number(x), _number(y))
    if latitude is None and not text:
        return None
    return Place(latitude, longitude, text)


def _degrees(x: float | None, y: float | None) -> tuple[float | None, float | None]:
    if x is None or y is None or x in SENTINELS or y in SENTINELS:
        return None, None
    if abs(x) <= _HALF_TURN and abs(y) <= _POLE:
        return y, x
    for easting, northing in ((x, y), (y, x)):
        if _EXTENT[0] < easting < _EXTENT[1] and 0 < northing < _EXTENT[0]:
            return california_zone_5(easting, northing)
    return None, None


def california_zone_5(easting: float, northing: float) -> tuple[float, float]:
    """Return latitude and longitude in degrees of a point in feet of EPSG:2229.

    Inverse of the Lambert conformal conic projection: J. P. Snyder, Map Projections: A Working Manual,
    USGS Professional Paper 1395 (1987), equations 15-1 to 15-11 and 7-9.
    """
    n, scale, rho0 = _cone()
    x, y = easting * _FOOT - _FALSE[0], rho0 - (northing * _FOOT - _FALSE[1])
    t = (sqrt(x * x + y * y) / scale) ** (1 / n)
    latitude = pi / 2 - 2 * atan(t)
    for _ in range(6):
        bend = ((1 - _E * sin(latitude)) / (1 + _E * sin(latitude))) ** (_E / 2)
        latitude = pi / 2 - 2 * atan(t * bend)
    return round(degrees(latitude), 6), round(degrees(atan(x / y) / n + _ORIGIN[1]), 6)


def _cone() -> tuple[float, float, float]:
    """Return the cone's constant, the scaled radius, and the radius at the origin, both in metres."""
    m1, m2 = (cos(p) / sqrt(1 - (_E * sin(p)) ** 2) for p in _PARALLELS)
    t1, t2 = (_t(p) for p in _PARALLELS)
    n = (log(m1) - log(m2)) / (log(t1) - log(t2))
    scale: float = _A * m1 / (n * t1**n)
    return n, scale, scale * float(_t(_ORIGIN[0]) ** n)


def _t(latitude: float) -> float:
    bend = ((1 - _E * sin(latitude)) / (1 + _E * sin(latitude))) ** (_E / 2)
    return float(tan(pi / 4 - latitude / 2) / bend)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is None or abs(number) < float("inf") else None
