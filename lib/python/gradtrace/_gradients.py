"""_gradients.py - the gradients of a step on their way from torch to the library.

What lies in the CPU's memory as the library reads it goes there in one call for all tensors, by
address; what a GPU can reduce is reduced there while that happens; the rest, strided or with the
loss scale still in it, goes one tensor at a time, each as a copy.

`gradtrace record` cannot know yet whether what it sees is what the optimizer will use.  It reduces
first, and gives the sums when it does.
"""

import sys
import weakref
from ctypes import addressof, c_size_t, c_void_p, sizeof

from . import _elements, _library
from ._gpu_gradients import GpuGradients, give_reduced
from ._library import Error
from ._optimizer import group_names
from ._sharded import is_sharded, part_of
from ._tensors import DTYPES, dtype_name, readable


_SUMS_BYTES = sizeof(_library.Reduction)


class Taken:
    """The sums of a row, and what a trace keeps of its elements, before it is written."""

    def __init__(self, n, keeps):
        self.sums = (_library.Reduction * n)()  # 0: of a tensor without a gradient
        self.kept = {} if keeps else None  # number of a tensor: copy

    def forget(self, i):
        self.sums[i] = _library.Reduction()
        if self.kept is not None:
            self.kept.pop(i, None)

    def give(self, handle, keeps):
        """To the row under way."""
        if not keeps:
            n = len(self.sums)
            handle.call("gtr_recorder_reduced", n, (c_size_t * n)(*range(n)), self.sums, None)
        elif self.kept:
            numbers, kept = zip(*self.kept.items())
            give_reduced(handle, numbers, [self.sums[i] for i in numbers], kept)


class Gradients:
    """Of (name, parameter) pairs; declared to the library before the first step."""

    def __init__(self, named, optimizer, elements="none", seed=0):
        self.named = named
        self.declared = None  # dtype of each tensor in the trace
        self._optimizer = optimizer
        kind, fraction, _ = _elements.parse(elements)
        self.keeps = kind != "none"
        self._sampling = (fraction if kind == "blocks" else 0.0, seed)

    def prepare(self, grad_scale):
        """At the first step: types and shapes, and what each GPU is to reduce."""
        kinds, parts = [], [(name, part_of(parameter)) for name, parameter in self.named]
        groups = group_names(self._optimizer) if self._optimizer is not None else {}
        for name, parameter in self.named:
            kind = dtype_name(name, parameter)
            if kind == "f16" and grad_scale != 1.0:
                kind = "f32"  # divided by the loss scale they would underflow in half precision
            kinds.append(kind)
        torch = sys.modules["torch"]
        self._tensor, self._strided = torch.Tensor, torch.strided
        torch_types = {kind: getattr(torch, name) for name, kind in DTYPES.items()}
        self._types = [torch_types[kind] for kind in kinds]
        self._kinds = [_library.DTYPES[kind] for kind in kinds]
        self._pointers = (c_void_p * len(kinds))()
        self._gpu = GpuGradients(parts, kinds, self._sampling)
        self._shapes = [tuple(part.shape) for _, part in parts]
        self._numels = [part.numel() for _, part in parts]
        self._as_they_are = not any(is_sharded(p) or p.is_complex() for _, p in self.named)
        self._groups = [groups.get(id(parameter)) for _, parameter in self.named]
        self._optimizer = None
        self.declared = kinds

    def declare(self, handle):
        """Tells the library about each tensor."""
        for i, (name, _) in enumerate(self.named):
            shape = "x".join(str(n) for n in self._shapes[i])
            declared = name.encode(), shape.encode(), self._numels[i], self._kinds[i]
            handle.call("gtr_recorder_tensor", *declared)
            if self._groups[i] is not None:
                handle.call("gtr_recorder_param_group", self._groups[i].encode())

    def hold_weakly(self):
        """From now on the pairs are (name, weak reference)."""
        self.named = [(name, weakref.ref(p)) for name, p in self.named]

    def fits(self, i, parameter):
        """Can another parameter go on in the series of a tensor?  It may have another shape if no
        elements tell of that."""
        same = not self.keeps or tuple(part_of(parameter).shape) == self._shapes[i]
        return same and dtype_name(self.named[i][0], parameter) == self.declared[i]

    def replace(self, i, parameter):
        """It does."""
        self.named[i] = (self.named[i][0], weakref.ref(parameter))
        alive = [(k, ref()) for k, (_, ref) in enumerate(self.named)]
        self._gpu.plan([(k, part_of(p)) for k, p in alive if p is not None])

    def give(self, handle, step, grads, grad_scale, begin):
        """Records grads, one for each tensor or None.

        begin() starts the row, if this call is the first of it; not before the GPU has its work,
        because to read the loss is to wait for the GPU.
        """
        there = self._parts({i: grad for i, grad in enumerate(grads) if grad is not None})
        on_gpu = self._gpu.start(there, lambda i: self._readable(i, there[i], grad_scale))
        begin()
        addresses, others = [None] * len(grads), []
        for i, grad in there.items():
            if i in on_gpu:
                continue
            if grad_scale == 1.0 and self._lies_ready(i, grad):
                addresses[i] = grad.data_ptr()
            else:
                others.append(i)
        self._pointers[:] = addresses
        handle.call("gtr_recorder_grads", self._pointers)
        for i in others:
            grad = self._readable(i, there[i], grad_scale).cpu()  # one at a time: may be a copy
            handle.call("gtr_recorder_grad", i, grad.data_ptr())
        self._gpu.give(handle, handle.keeps_elements(step))

    def take(self, grads, grad_scale, taken, threads):
        """Reduces {number: gradient} into a Taken; nothing is given."""
        there = self._parts(grads)
        on_gpu = self._gpu.start(there, lambda i: self._readable(i, there[i], grad_scale))
        reduce, kinds, sums = _library.load().gtr_reduce, self._kinds, addressof(taken.sums)
        ready = self._lies_ready if grad_scale == 1.0 else lambda i, grad: False
        for i, grad in there.items():
            if i in on_gpu:
                continue
            if not ready(i, grad):
                grad = self._readable(i, grad, grad_scale).cpu()
            reduce(kinds[i], grad.data_ptr(), grad.numel(), threads, sums + i * _SUMS_BYTES)
            if taken.kept is not None:
                taken.kept[i] = self._gpu.kept_of(i, grad.detach()).clone()
        self._gpu.take(taken)

    def _readable(self, i, grad, grad_scale):
        return readable(self.named[i][0], grad, self.declared[i], grad_scale)

    def _lies_ready(self, i, grad):
        """Can it be read where it is?"""
        return (
            type(grad) is self._tensor
            and grad.dtype is self._types[i]
            and grad.is_cpu
            and grad.layout is self._strided
            and grad.is_contiguous()
        )

    def _parts(self, grads):
        """What of each this rank counts, as reals: nearly always all of it, as it is."""
        if self._as_they_are:
            return grads
        parts = {i: part_of(grad) for i, grad in grads.items()}
        for i, part in parts.items():
            if is_sharded(grads[i]) and part.numel() != self._numels[i]:
                name = self.named[i][0]
                raise Error(f"{name}: its gradient is not sharded as the parameter is", "usage")
        return parts
