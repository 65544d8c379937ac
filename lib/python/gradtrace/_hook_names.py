"""_hook_names.py - what the parameters of optimizers are called, found without being told.

An optimizer knows tensors, not names.  The modules that have them are somewhere in memory: of all
modules that no other module contains, the one that has most of the optimizers' parameters names
them, as its checkpoint would; then the one that has most of the rest.  What no module has is
called by its place in the optimizer.
"""

import gc
import sys

from ._tensors import plain_name, unwrapped, wraps


class Found:
    """Names of parameters, in the order of the modules that have them."""

    def __init__(self):
        self.named = []  # (name, parameter)
        self.models = []  # the modules that gave the names, largest share first
        self.data_parallel = False  # gradients are means over ranks

    @property
    def model(self):
        """What the model is called: its checkpoint's name if it has one, else its class."""
        names = []
        for module in self.models:
            inner = unwrapped(module)
            config = getattr(inner, "config", None)
            name = getattr(config, "_name_or_path", None)
            names.append(name if isinstance(name, str) and name else type(inner).__name__)
        return ", ".join(names)


def find(optimizers, parameters_of):
    """Names for all parameters of optimizers; parameters_of(optimizer) lists those that count."""
    wanted = {id(p): p for optimizer in optimizers for p in parameters_of(optimizer)}
    found = Found()
    missing = dict(wanted)
    for module, pairs in _covering(wanted):
        own = [(name, p) for name, p in pairs if id(p) in missing]
        if own:
            found.models.append(module)
            found.data_parallel |= wraps(module)
            found.named.append((module, own))
            for _, p in own:
                missing.pop(id(p))
    found.named = _joined(found.named) + _by_place(optimizers, missing)
    found.named = _all_different(found.named)
    return found


def _covering(wanted):
    """Outermost modules with any of the parameters and their (name, parameter) pairs, best first.

    Of two that have equally many, the one with fewer others: not the collection of all models.
    """
    modules = _modules()
    inner = {
        id(child) for m in modules for child in (m.__dict__.get("_modules") or {}).values()
    }
    candidates = []
    for module in modules:
        if id(module) in inner:
            continue
        try:
            pairs = list(module.named_parameters())
        except Exception:
            continue  # not fully made, or one that is no module at heart
        share = sum(id(p) in wanted for _, p in pairs)
        if share > 0:
            candidates.append((-share, len(pairs), len(candidates), module, pairs))
    candidates.sort(key=lambda candidate: candidate[:3])
    return [(module, pairs) for _, _, _, module, pairs in candidates]


def _modules():
    """All modules there are.  By type(): isinstance would wake lazy stand-ins."""
    base = sys.modules["torch"].nn.Module
    return [thing for thing in gc.get_objects() if issubclass(type(thing), base)]


def _joined(shares):
    """One list; with several modules, each name begins with its module's class."""
    named, used = [], {}
    for module, pairs in shares:
        prefix = ""
        if len(shares) > 1:
            kind = type(unwrapped(module)).__name__
            used[kind] = used.get(kind, 0) + 1
            prefix = f"{kind}{used[kind] if used[kind] > 1 else ''}."
        named += [(prefix + plain_name(module, name), p) for name, p in pairs]
    return named


def _by_place(optimizers, missing):
    """param_groups.0.3, or the name that the optimizer was given with the parameter."""
    named = []
    for k, optimizer in enumerate(optimizers):
        prefix = f"optimizer{k}." if len(optimizers) > 1 else ""
        for g, group in enumerate(optimizer.param_groups):
            told = group.get("param_names")
            for i, p in enumerate(group["params"]):
                if missing.pop(id(p), None) is not None:
                    place = f"{prefix}param_groups.{g}.{i}"
                    named.append((told[i] if told and i < len(told) else place, p))
    return named


def _all_different(named):
    used, result = {}, []
    for name, p in named:
        used[name] = used.get(name, 0) + 1
        result.append((f"{name}#{used[name]}" if used[name] > 1 else name, p))
    return result
