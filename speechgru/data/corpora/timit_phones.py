"""TIMIT's phones, and the fewer that they are trained and scored as.

Source: K.-F. Lee and H.-W. Hon, "Speaker-independent phone recognition using hidden
Markov models", IEEE Trans. ASSP 37(11), 1989, table 1.
"""

from speechgru.interfaces import InputError

_SAME = (
    "aa ae ah ao aw ax ay b ch d dh dx eh el en epi er ey f g hh ih ix iy jh k l m n "
    "ng ow oy p r s sh t th uh uw v w y z zh"
)
"""Of the 60 phones those that are among the 48, too."""

_TO_48 = {
    **{phone: phone for phone in _SAME.split()},
    **dict.fromkeys(("h#", "pau"), "sil"),
    **dict.fromkeys(("pcl", "tcl", "kcl"), "cl"),
    **dict.fromkeys(("bcl", "dcl", "gcl"), "vcl"),
    "ax-h": "ax",
    "axr": "er",
    "em": "m",
    "eng": "ng",
    "hv": "hh",
    "nx": "n",
    "ux": "uw",
}

_TO_39 = {
    **dict.fromkeys(("cl", "vcl", "epi"), "sil"),
    "ao": "aa",
    "ax": "ah",
    "el": "l",
    "en": "n",
    "ix": "ih",
    "zh": "sh",
}
"""Of the 48 phones those that are scored as others."""

_LEFT_OUT = "q"  # the glottal stop


def map_phone(phone: str, num_phones: int) -> str | None:
    """Map one of the 61 phones of the transcripts.

    Args:
        phone: as a .PHN file has it, in lower case.
        num_phones: 60, 48 or 39.

    Returns:
        The phone, or None for the glottal stop, which is left out of all three.

    Raises:
        InputError: no phone of TIMIT.

    Examples:
        >>> [map_phone("kcl", size) for size in (60, 48, 39)]
        ['kcl', 'cl', 'sil']
    """
    if phone == _LEFT_OUT:
        return None
    if phone not in _TO_48:
        raise InputError(
            f"'{phone}' is no phone of TIMIT, expected one of: "
            f"{' '.join(sorted(_TO_48))}; copy the .PHN files again"
        )
    if num_phones == 60:
        return phone
    fewer = _TO_48[phone]
    return _TO_39.get(fewer, fewer) if num_phones == 39 else fewer
