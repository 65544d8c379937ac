"""_hook_replace.py - put a function of ours around one of torch's."""

import functools


def replace(owner, name, make):
    """owner.name = make(owner.name), once."""
    original = vars(owner).get(name)
    if original is None or getattr(original, "_gradtrace", False):
        return
    replacement = functools.wraps(original)(make(original))
    replacement._gradtrace = True
    replacement._torchdynamo_disable = True  # torch.compile must not look into it
    setattr(owner, name, replacement)


def replace_method(cls, name, make):
    """The same for the method that instances of cls have, wherever it is inherited from."""
    for owner in cls.__mro__:
        if name in vars(owner):
            replace(owner, name, make)
            return
