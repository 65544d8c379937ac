"""_hook_here.py - what belongs to one thread of the script: trainings may run side by side."""

import math
import threading

from ._hook_watch import Watch

MOST_LOSSES = 4096  # backward calls between two rows; beyond, the loss is not known


class Losses:
    """What backward was called on since the last row: their sum is what was differentiated.

    Read only when gradients are recorded, which waits for them anyway.
    """

    def __init__(self):
        self._roots = []
        self._divisor = lambda: 1.0

    def add(self, root):
        if len(self._roots) <= MOST_LOSSES:
            self._roots.append((root.detach(), root._version))

    def take(self):
        """Their sum, None if there are none; then there are none."""
        roots, divisor = self._roots, self._divisor
        self.clear()
        if not roots:
            return None
        if len(roots) > MOST_LOSSES or any(root._version != version for root, version in roots):
            return math.nan  # too many, or the script has reused the tensor
        return sum(float(root) for root, _ in roots) / divisor()

    def scaled_by(self, divisor):
        """divisor() is the loss scale in all of them."""
        self._divisor = divisor

    def clear(self):
        self.__init__()


class Here:
    """Of one thread."""

    def __init__(self):
        self.thread = threading.get_ident()
        self.losses = Losses()
        self.watch = Watch()
        self.stepping = []  # optimizers whose step is under way: some call those of others
        self.trains = False  # it has called backward
        self.backwards = 0  # passes under way, one inside the other
        self.clipping = False  # a function that clips is: some call each other
        self.clip = None  # what it was asked to do
        self.norm_type = 2.0  # of the norm that was asked for last
        self.scaler = None  # the loss scale used last, weakly


class Heres:
    """Of all threads.  One of autograd's works for the thread that waits in backward."""

    def __init__(self):
        self._all = {}
        self.n_training = 0  # threads that have called backward

    def training(self):
        """Of the thread that calls backward."""
        here = self.own()
        if not here.trains:
            here.trains = True
            self.n_training += 1
        return here

    def own(self):
        """Of a thread of the script."""
        ident = threading.get_ident()
        if ident not in self._all:
            self._all[ident] = Here()
        return self._all[ident]

    def find(self):
        known = self._all.get(threading.get_ident())
        if known is not None:
            return known
        busy = [here for here in list(self._all.values()) if here.backwards > 0]
        return busy[-1] if busy else self.own()
