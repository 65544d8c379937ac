"""_elements.py - what the argument `elements` of a Recorder says."""

_WORDS = (
    'must be none, full, or blocks:FRACTION with a fraction above 0 and at most 1, such as '
    'blocks:1/64 or blocks:0.02; and, after a comma or alone, around-spikes:CAPTURES, such as '
    'blocks:1/64,around-spikes:16'
)


def parse(value):
    """(kind, fraction, around): "blocks:1/64,around-spikes:8" is ("blocks", 0.015625, 8)."""
    kind, fraction, around = None, 1.0, 0
    try:
        for part in str(value).split(","):
            name, colon, number = part.strip().partition(":")
            if name == "around-spikes" and around == 0:
                around = int(number)
                if around < 1:
                    raise ValueError
            elif kind is None and name in ("none", "full") and not colon:
                kind = name
            elif kind is None and name == "blocks":
                kind, fraction = name, _fraction(number)
            else:
                raise ValueError
        if around and kind == "none":
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"elements={value!r}: {_WORDS}") from None
    return kind or "full", fraction, around


def _fraction(text):
    above, slash, below = text.partition("/")
    fraction = float(above) / (float(below) if slash else 1.0)
    if not 0.0 < fraction <= 1.0:
        raise ValueError
    return fraction
