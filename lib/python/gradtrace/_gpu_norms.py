"""_gpu_norms.py - the norms of gradients that lie on GPUs, by the library's kernels.

Gradients stay where they are: per step and GPU one launch reads them all, on the stream on which
torch works, and a few bytes per tensor come back.  The numbers are those of the CPU, bit for bit.
"""

import os
import weakref
from ctypes import byref, c_int, c_uint64, c_void_p

from . import _library
from ._library import Error


def device_of(tensor):
    """CUDA's number of the GPU that holds a tensor, or None."""
    return tensor.get_device() if tensor.is_cuda else None


def stream_of(device):
    """The stream on which torch works there."""
    import torch

    return torch.cuda.current_stream(device).cuda_stream


class GpuNorms:
    """Plans once which tensors each GPU reduces; then a start and a wait per step.

    Without GPUs, or with a library without CUDA, it plans nothing and start takes nothing.
    """

    def __init__(self, named, kinds):
        found = {}
        for i, (_, parameter) in enumerate(named):
            device = device_of(parameter)
            if device is not None and parameter.numel() > 0:
                found.setdefault(device, []).append(i)
        self._plans = []
        if found and _library.load().gtr_device_count() > 0:
            for device, tensors in found.items():
                numels = [named[i][1].numel() for i in tensors]
                try:
                    plan = _Plan(device, tensors, [kinds[i] for i in tensors], numels)
                except Error:
                    continue  # no room, say: then these take the way over the host
                self._plans.append(plan)

    def start(self, gradients, readable):
        """Starts what can be; returns the numbers of those tensors.

        gradients: per tensor its gradient or None.  readable(i) makes it contiguous, of the type
        planned, where it is.
        """
        taken = set()
        for plan in self._plans:
            mine = {
                i: readable(i)
                for i in plan.tensors
                if gradients[i] is not None and device_of(gradients[i]) == plan.device
            }
            if mine:
                plan.start(mine)
                taken.update(mine)
        return taken

    def wait(self):
        """(tensor, its reduction) for all that was started."""
        for plan in self._plans:
            yield from plan.wait()


class _Plan:
    """The tensors of one GPU."""

    def __init__(self, device, tensors, kinds, numels):
        n = len(tensors)
        handle = c_void_p()
        dtypes = (c_int * n)(*(_library.DTYPES[kind] for kind in kinds))
        _library.call(
            "gtr_cuda_norms_new", device, n, dtypes, (c_uint64 * n)(*numels), byref(handle)
        )
        self.device = device
        self.tensors = tensors
        self._handle = handle
        self._pointers = (c_void_p * n)()
        self._reductions = (_library.Reduction * n)()
        self._started = None
        weakref.finalize(self, _free, handle, os.getpid())

    def start(self, gradients):
        for k, i in enumerate(self.tensors):
            self._pointers[k] = gradients[i].data_ptr() if i in gradients else None
        _library.call(
            "gtr_cuda_norms_start", self._handle, self._pointers, stream_of(self.device)
        )
        self._started = gradients  # some are copies that must outlive the kernels

    def wait(self):
        if self._started is None:
            return
        started, self._started = self._started, None
        _library.call("gtr_cuda_norms_wait", self._handle, self._reductions)
        for k, i in enumerate(self.tensors):
            if i in started:
                yield i, self._reductions[k]


def _free(handle, process):
    """A forked child has no part in its parent's GPU."""
    if os.getpid() == process:
        _library.load().gtr_cuda_norms_free(handle)
