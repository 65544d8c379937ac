"""_gradients.py - the gradients of a step on their way from torch to the library.

What lies in the CPU's memory as the library reads it goes there in one call for all tensors, by
address; what a GPU can reduce is reduced there while that happens; the rest, strided or with the
loss scale still in it, goes one tensor at a time, each as a copy.
"""

import sys
import weakref
from ctypes import c_void_p

from . import _library
from ._gpu_gradients import GpuGradients
from ._library import Error
from ._optimizer import group_names
from ._sharded import is_sharded, part_of
from ._tensors import DTYPES, dtype_name, readable


class Gradients:
    """Of (name, parameter) pairs; declared to the library before the first step."""

    def __init__(self, named, optimizer):
        self.named = named
        self.declared = None  # dtype of each tensor in the trace
        self._optimizer = optimizer

    def declare(self, handle, grad_scale):
        """Tells the library about each tensor, at the first step."""
        kinds, parts = [], [(name, part_of(parameter)) for name, parameter in self.named]
        groups = group_names(self._optimizer) if self._optimizer is not None else {}
        for (name, parameter), (_, part) in zip(self.named, parts):
            kind = dtype_name(name, parameter)
            if kind == "f16" and grad_scale != 1.0:
                kind = "f32"  # divided by the loss scale they would underflow in half precision
            shape = "x".join(str(n) for n in part.shape)
            handle.call(
                "gtr_recorder_tensor",
                name.encode("utf-8"),
                shape.encode(),
                part.numel(),
                _library.DTYPES[kind],
            )
            if id(parameter) in groups:
                group = groups[id(parameter)].encode("utf-8")
                handle.call("gtr_recorder_param_group", group)
            kinds.append(kind)
        torch_types = {kind: getattr(sys.modules["torch"], name) for name, kind in DTYPES.items()}
        self._types = [torch_types[kind] for kind in kinds]
        self._pointers = (c_void_p * len(kinds))()
        self._gpu = GpuGradients(parts, kinds, handle.options)
        self._numels = [part.numel() for _, part in parts]
        self._sharded = any(is_sharded(parameter) for _, parameter in self.named)
        self._optimizer = None
        self.declared = kinds

    def hold_weakly(self):
        """From now on the pairs are (name, weak reference)."""
        self.named = [(name, weakref.ref(p)) for name, p in self.named]

    def give(self, handle, step, grads, grad_scale, begin):
        """Records grads, one for each tensor or None.

        begin() starts the row, if this call is the first of it; not before the GPU has its work,
        because to read the loss is to wait for the GPU.
        """
        grads = self._parts(grads)

        def readable_gradient(i):
            return readable(self.named[i][0], grads[i], self.declared[i], grad_scale)

        on_gpu = self._gpu.start(grads, readable_gradient)
        begin()
        for i in self._give_as_they_lie(handle, grads, on_gpu, grad_scale == 1.0):
            grad = readable_gradient(i).cpu()  # one at a time: each may be a copy
            handle.call("gtr_recorder_grad", i, grad.data_ptr())
        self._gpu.give(handle, handle.keeps_elements(step))

    def _parts(self, grads):
        """What of each this rank counts: nearly always all of it."""
        if not self._sharded:
            return grads
        parts = [part_of(grad) for grad in grads]
        for (name, _), part, numel in zip(self.named, parts, self._numels):
            if part is not None and part.numel() != numel:
                raise Error(f"{name}: its gradient is not sharded as the parameter is", "usage")
        return parts

    def _give_as_they_lie(self, handle, grads, on_gpu, unscaled):
        """In one call those that can be read where they are; returns the numbers of the others."""
        from torch import Tensor, strided

        addresses, others = [], []
        for i, (grad, dtype) in enumerate(zip(grads, self._types)):
            address = None
            if grad is None or i in on_gpu:
                pass
            elif (
                unscaled
                and type(grad) is Tensor
                and grad.dtype is dtype
                and grad.is_cpu
                and grad.layout is strided
                and grad.is_contiguous()
            ):
                address = grad.data_ptr()
            else:
                others.append(i)
            addresses.append(address)
        self._pointers[:] = addresses
        handle.call("gtr_recorder_grads", self._pointers)
        return others
