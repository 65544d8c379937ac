"""_hook_tensors.py - which tensor of a trace records which parameter of an optimizer.

Parameters are known by what they are, and held weakly.  One that comes to the place of another, as
in models that grow, goes on in its series.
"""

import weakref

from ._gradients import Gradients


def parameters_of(optimizer):
    return [p for group in optimizer.param_groups for p in group["params"]]


def recordable(optimizer):
    """Those that have gradients or may have: also what is frozen now and thawed later."""
    return [
        p for p in parameters_of(optimizer)
        if p.requires_grad or p.is_floating_point() or p.is_complex()
    ]


class Joined:
    """Several optimizers as one, for the names of their groups and the settings of the first."""

    def __init__(self, optimizers):
        self.optimizer = optimizers[0]
        self.param_groups = list(optimizers[0].param_groups)
        if len(optimizers) > 1:
            self.param_groups = [
                {**group, "name": f"optimizer{k}.{group.get('name') or f'group{g}'}"}
                for k, optimizer in enumerate(optimizers)
                for g, group in enumerate(optimizer.param_groups)
            ]


class Tensors:
    def __init__(self, named, optimizers, settings, scale, owners):
        """settings: of the recorder.  owners(parameters): the optimizers that have any of them."""
        self.gradients = Gradients(
            named,
            Joined(optimizers),
            settings.get("elements", "none"),
            settings.get("sample_seed", 0),
        )
        self.gradients.prepare(scale)
        self.gradients.hold_weakly()
        self._owners = owners
        self._refs = [weakref.ref(p) for _, p in named]
        self._index = {id(p): i for i, (_, p) in enumerate(named)}
        self._places = self._places_of(optimizers)

    def __len__(self):
        return len(self._refs)

    def name(self, i):
        return self.gradients.named[i][0]

    def number_of(self, p):
        """The tensor that records a parameter, or None."""
        i = self._index.get(id(p))
        return i if i is not None and self._refs[i]() is p else None

    def has_any(self, parameters):
        return any(self.number_of(p) is not None for p in parameters)

    def alive(self):
        return any(ref() is not None for ref in self._refs)

    def numbered(self):
        """Pairs (number, parameter) of those that are alive."""
        pairs = [(i, ref()) for i, ref in enumerate(self._refs)]
        return [(i, p) for i, p in pairs if p is not None]

    def numbers_of(self, optimizer):
        numbers = (self.number_of(p) for p in parameters_of(optimizer))
        return [i for i in numbers if i is not None]

    def _places_of(self, optimizers):
        """{place in an optimizer: number}, for parameters that new ones will replace there."""
        places = {}
        for optimizer in optimizers:
            for g, group in enumerate(optimizer.param_groups):
                for j, p in enumerate(group["params"]):
                    for place in _places(optimizer, g, group, j):
                        # A name that two groups have tells nothing.
                        places[place] = None if place in places else self.number_of(p)
        return places

    def knows(self, optimizer):
        """Has it a tensor of this trace, or one that goes on in the series of such?"""
        return any(
            self.number_of(p) is not None or self._replaced(optimizer, g, group, j, p) is not None
            for g, group in enumerate(optimizer.param_groups)
            for j, p in enumerate(group["params"])
        )

    def _replaced(self, optimizer, g, group, j, p):
        """The number of the tensor to whose place in an optimizer this parameter has come, or None.

        Models that grow are handled so.  In a group of the same name it may be a new optimizer, if
        the old parameter has none any more.
        """
        for place in _places(optimizer, g, group, j):
            i = self._places.get(place)
            old = self._refs[i]() if i is not None else None
            if i is None or any(old is q for q in group["params"]):
                continue
            if old is not None and len(place) == 2 and self._owners([old]):
                continue
            if self.gradients.fits(i, p):
                return i
        return None

    def grads_of(self, optimizer, known):
        """{number of a tensor: its gradient}, without those known; and {id of a parameter: its
        gradient} of those without a number.

        Runs over all parameters at each step, so it is number_of() written out.
        """
        grads, late = {}, {}
        index, refs = self._index, self._refs
        for g, group in enumerate(optimizer.param_groups):
            for j, p in enumerate(group["params"]):
                grad = p.grad
                if grad is None:
                    continue
                i = index.get(id(p))
                if i is None or refs[i]() is not p:
                    i = self._replaced(optimizer, g, group, j, p)
                    if i is not None:
                        self.gradients.replace(i, p)
                        refs[i] = weakref.ref(p)
                        index[id(p)] = i
                if i is None:
                    late[id(p)] = grad
                elif i not in known:
                    grads[i] = grad
        return grads, late


def _places(optimizer, g, group, j):
    """Where a parameter stands: in this optimizer, and in a group that has a name."""
    here = (weakref.ref(optimizer), g, j)
    return (here, (group["name"], j)) if group.get("name") else (here,)
