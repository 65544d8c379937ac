"""_hook_replace.py - put a function of ours around one of torch's."""

import functools
import sys

# Warnings with a stacklevel pass over frames of importlib, known by these words in the name of
# their file, and so over ours: what torch warns of keeps its place in the script.
_NO_PLACE = "<gradtrace record, as importlib and _bootstrap>"


def _around(original, make):
    replacement = functools.wraps(original)(make(original))
    if hasattr(replacement.__code__, "replace"):  # since Python 3.8
        replacement.__code__ = replacement.__code__.replace(co_filename=_NO_PLACE)
    replacement._gradtrace = True
    replacement._torchdynamo_disable = True  # torch.compile must not look into it
    return replacement


def _is_ours(function):
    return getattr(function, "_gradtrace", False)


def replace(owner, name, make):
    """owner.name = make(owner.name), once."""
    original = vars(owner).get(name)
    if original is not None and not _is_ours(original):
        setattr(owner, name, _around(original, make))


def replace_method(cls, name, make):
    """The same for the method that instances of cls have, wherever it is inherited from."""
    for owner in cls.__mro__:
        if name in vars(owner):
            replace(owner, name, make)
            return


def replace_everywhere(owner, name, make):
    """The same for a function of a module and for what other modules have imported of it, some
    under a name of their own.  False if there is none."""
    original = vars(owner).get(name)
    if original is None or _is_ours(original):
        return original is not None
    replacement = _around(original, make)
    for module in list(sys.modules.values()):
        known = getattr(module, "__dict__", {})
        for key in (name, "_" + name):
            if known.get(key) is original:
                setattr(module, key, replacement)
    return True
