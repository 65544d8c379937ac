"""_hook_players.py - optimizers that have a tensor in common are one player.

Adam and then LBFGS over the same weights, SAM and the optimizer inside it: whichever of them steps,
a step of these tensors is done.
"""

import weakref


class Players:
    def __init__(self, numbers_of):
        """numbers_of(optimizer): the tensors that it has."""
        self._numbers_of = numbers_of
        self._known = {}  # id of the optimizer: (weak reference, its key)
        self._key_of = {}  # of a tensor
        self._alive = {}  # key: optimizers

    def key(self, optimizer):
        """What the player of this optimizer is called; the optimizer may be a new one."""
        known = self._known.get(id(optimizer))
        if known is not None and known[0]() is optimizer:
            return known[1]
        numbers = list(self._numbers_of(optimizer))
        keys = {self._key_of[i] for i in numbers if i in self._key_of}
        key = min(keys) if keys else id(optimizer)
        if len(keys) > 1:
            self._join(keys, key)
        for i in numbers:
            self._key_of[i] = key
        ident = id(optimizer)
        self._known[ident] = weakref.ref(optimizer, lambda _: self._gone(ident)), key
        self._alive[key] = self._alive.get(key, 0) + 1
        return key

    def alive(self):
        """The keys of those that have an optimizer."""
        return self._alive.keys()

    def leave(self, optimizer):
        """It plays elsewhere."""
        if id(optimizer) in self._known:
            self._gone(id(optimizer))

    def _join(self, keys, key):
        self._known = {
            ident: (ref, key if own in keys else own) for ident, (ref, own) in self._known.items()
        }
        self._key_of = {i: key if own in keys else own for i, own in self._key_of.items()}
        self._alive[key] = sum(self._alive.pop(own, 0) for own in keys)

    def _gone(self, ident):
        _, key = self._known.pop(ident)
        self._alive[key] -= 1
        if self._alive[key] == 0:
            del self._alive[key]
