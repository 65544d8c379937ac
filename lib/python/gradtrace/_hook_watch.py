"""_hook_watch.py - did something that is not listened to change gradients, or move weights?

Names cannot tell: a script may clip by hand, a library by a function of its own.  So gradients are
looked at when a backward pass has ended, and again when they are about to be recorded or used:
where they lie, autograd's count of changes in place, and at the first rows and now and then a
norm, for what goes around that count (.data, kernels).  From the fifth row on some tensors are
looked at each time, in turn, so that the cost does not grow with the model.
"""

import weakref

import torch

from ._sharded import is_sharded
from ._tensors import is_recordable

_ALL_ROWS = 4  # rows at which all gradients are looked at
_ALL_LOOKS = 64  # and at most so often in a row
_SOME = 64  # tensors of a look from then on
_WEIGHED = 32  # tensors whose norm is taken
_SELDOM = 64  # rows between such looks
_WHOLE = 1 << 18  # elements of which a norm takes all, and so many of a larger tensor

_UNSEEN, _CHANGED = object(), object()


class Watch:
    def __init__(self):
        self.rows = 0
        self._suspects = False  # something has changed gradients before: norms at each row
        self._looks = 0  # in this row
        self._next = 0  # which tensor's turn it is
        self._seen = {}  # id of the parameter: its mark
        self._shared = False  # some gradients are parts of one tensor, and of one count
        self._counts = {}  # where such a tensor lies: its count after the last change heard of

    def look(self, refs):
        """After a backward pass.  refs: weak references to all parameters of the script."""
        n = len(refs)
        whole = self.rows < _ALL_ROWS and self._looks < _ALL_LOOKS
        weighs = whole or self._suspects or self.rows % _SELDOM == 0
        count = n if whole else min(n, _SOME)
        self._looks += 1
        self._seen, self._counts = {}, {}
        for k in range(count):
            p = refs[(self._next + k) % n]()
            if p is not None:
                self._seen[id(p)] = _mark(p, weighs and k < _WEIGHED)
                self._shared = self._shared or _is_part(p.grad)
        if n > 0:
            self._next = (self._next + min(count, _WEIGHED if whole else count)) % n

    def look_again(self, parameters):
        """What was heard of has changed them since."""
        for p in parameters:
            if self._shared and _is_part(p.grad):
                self._counts[_place(p.grad)] = p.grad._version
            before = self._seen.get(id(p), _UNSEEN)
            if before is not _UNSEEN and before is not _CHANGED:
                self._seen[id(p)] = _mark(p, _is_weighed(before))

    def forget(self, parameters):
        for p in parameters:
            self._seen.pop(id(p), None)

    def changed(self, parameters):
        """Has a gradient of these changed since the last look?"""
        found = False
        for p in parameters:
            before = self._seen.get(id(p), _UNSEEN)
            if before is _UNSEEN:
                continue
            if before is not _CHANGED:
                now = _mark(p, _is_weighed(before))
                if now is None or now is _UNSEEN or self._same(p.grad, before, now):
                    continue  # a gradient that was dropped is not used either
                self._seen[id(p)] = _CHANGED
                self._suspects = True
            found = True
        return found

    def _same(self, grad, before, now):
        if before is None or before[0] != now[0]:
            return False
        if before[1] != now[1]:  # perhaps because what shares the count was changed
            if not self._shared or self._counts.get(_place(grad)) != now[1]:
                return False
        if before[2] is None:
            return True
        one, two = float(before[2]), float(now[2])
        return one == two or (one != one and two != two)

    def row_ended(self):
        self.rows += 1
        self._looks = 0


class Weights:
    """A few elements of a few parameters, as they are now."""

    def __init__(self, parameters):
        step = max(1, len(parameters) // 4)
        picked = [p for p in parameters[::step][:4] + parameters[-1:] if is_recordable(p)]
        self._few = [(weakref.ref(p), p._version, _few(p)) for p in picked]

    def moved(self):
        alive = [(ref(), version, few) for ref, version, few in self._few]
        return any(
            p is not None and (p._version != version or not torch.equal(_few(p), few))
            for p, version, few in alive
        )


def _few(p):
    flat = _local(p.detach()).reshape(-1)
    return flat[:: max(1, flat.numel() // 16)].clone()


def _local(tensor):
    return tensor.to_local() if is_sharded(tensor) else tensor


def _is_weighed(mark):
    return mark is not None and mark[2] is not None


def _memory(tensor):
    tensor = _local(tensor)
    return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()


def _place(grad):
    return _memory(grad).data_ptr()


def _is_part(grad):
    """Does it lie in memory with others?"""
    if grad is None or grad.layout is not torch.strided:
        return False
    return _memory(grad).nbytes() > grad.element_size() * _local(grad).numel()


def _mark(p, weighs):
    """None without a gradient, else where it lies, its count of changes, and a norm."""
    grad = p.grad
    if grad is None:
        return None
    version, local = grad._version, _local(grad)
    if local.layout is not torch.strided:
        return _UNSEEN
    return local.data_ptr(), version, _norm(local.detach()) if weighs else None


def _norm(grad):
    if grad.is_cuda and torch.cuda.is_current_stream_capturing():
        return None  # a graph would repeat it
    if grad.numel() > _WHOLE and grad.is_contiguous():
        grad = grad.view(-1)[:: grad.numel() // _WHOLE]
    return torch.linalg.vector_norm(grad)
