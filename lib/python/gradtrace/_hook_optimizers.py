"""_hook_optimizers.py - all optimizers of a script, and which of them have a parameter.

Asked at each clipping and each backward pass, of some scripts for one tensor at a time, of others
with an optimizer for each tensor.  So there is an index, made anew when a parameter is asked for
that it does not have.
"""

import weakref

import torch


class Loose:
    """The parameters of a script that has no optimizer, and clips them."""

    is_loose = True

    def __init__(self, parameters):
        self._refs = [weakref.ref(p) for p in parameters]

    @property
    def param_groups(self):
        return [{"params": [p for p in (ref() for ref in self._refs) if p is not None]}]


class Optimizers:
    def __init__(self, heres):
        self._heres = heres
        self._refs = []  # in the order of their making
        self._made_in = {}  # id of the optimizer: thread
        self._owners = {}  # id of the parameter: (weak reference, those of its optimizers)
        self._loose = []
        self._searched = False  # since the last step
        self._all = []  # weak references to all parameters
        self._home = {}  # id of the optimizer: the thread in which it was seen last
        self._mine = {}  # thread: weak references to the parameters of its optimizers

    def made(self, optimizer):
        self._made_in[id(optimizer)] = self._heres.own().thread
        if all(ref() is not optimizer for ref in self._refs[-1:]):  # or made twice
            self._refs.append(weakref.ref(optimizer))
        self._add(optimizer)

    def alive(self):
        return [o for o in (ref() for ref in self._refs) if o is not None]

    def seen_in(self, optimizer, thread):
        if self._home.get(id(optimizer)) != thread:
            self._home[id(optimizer)] = thread
            self._mine.clear()

    def watched(self, thread):
        """Weak references to the parameters whose gradients a thread may look at.

        Never those of another that trains: torch may be about to change them there.
        """
        if self._heres.n_training <= 1:
            return self._all
        if thread not in self._mine:
            found = {
                id(p): weakref.ref(p)
                for optimizer in self.alive() + self._loose
                if self._home.get(id(optimizer)) == thread
                for group in optimizer.param_groups for p in group["params"]
            }
            self._mine[thread] = list(found.values())
        return self._mine[thread]

    def stepped(self):
        """Its parameters may be others from now on."""
        self._searched = False

    def made_together(self, one, other):
        return self._made_in.get(id(one)) == self._made_in.get(id(other))

    def of(self, parameters):
        """Those that have any of the parameters; loose ones if the script has no optimizer."""
        found, missing = {}, False
        for p in parameters:
            known = self._owners.get(id(p))
            if known is None or known[0]() is not p:
                missing |= p.is_leaf and p.grad is not None
                continue
            for ref in known[1]:
                optimizer = ref()
                found[id(optimizer)] = optimizer
        if missing and not self._searched:
            self._search()
            return self.of(parameters)
        if not found and not self.alive():
            return self._loose_of(parameters)
        return [optimizer for optimizer in found.values() if optimizer is not None]

    def _search(self):
        """Anew, but once a step: what has no optimizer may be asked for again and again."""
        self._searched = True
        self._refs = [ref for ref in self._refs if ref() is not None]
        self._owners.clear()
        self._all.clear()
        self._mine.clear()
        for optimizer in self.alive():
            self._add(optimizer)

    def _add(self, optimizer):
        ref = weakref.ref(optimizer)
        for group in optimizer.param_groups:
            for p in group["params"]:
                known = self._owners.get(id(p))
                if known is not None and known[0]() is p:
                    known[1].append(ref)
                else:
                    self._owners[id(p)] = weakref.ref(p), [ref]
                    self._all.append(weakref.ref(p))

    def _loose_of(self, parameters):
        own = [p for p in parameters if isinstance(p, torch.nn.Parameter)]
        if not own or len(own) < len(parameters):
            return []
        for loose in self._loose:
            if any(p is own[0] for p in loose.param_groups[0]["params"]):
                return [loose]
        self._loose.append(Loose(own))
        self._all += [weakref.ref(p) for p in own]
        return self._loose[-1:]
