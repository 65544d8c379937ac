"""_kernel_norms.py - the norms of gradients that lie on GPUs, by the library's kernels.

Gradients stay where they are: per step and GPU one launch reads them all, on the stream on which
torch works, and a few bytes per tensor come back.  The numbers are those of the CPU, bit for bit.
"""

import os
import weakref
from ctypes import byref, c_int, c_uint64, c_void_p

from . import _library


def stream_of(device):
    """The stream on which torch works there."""
    import torch

    return torch.cuda.current_stream(device).cuda_stream


class KernelNorms:
    """The tensors of one GPU: a start and a wait per step."""

    def __init__(self, device, tensors, kinds, numels):
        """Raises Error if the library cannot use this GPU."""
        n = len(tensors)
        handle = c_void_p()
        dtypes = (c_int * n)(*(_library.DTYPES[kind] for kind in kinds))
        _library.call(
            "gtr_cuda_norms_new", device, n, dtypes, (c_uint64 * n)(*numels), byref(handle)
        )
        self.tensors = tensors
        self._device = device
        self._handle = handle
        self._pointers = (c_void_p * n)()
        self._reductions = (_library.Reduction * n)()
        self._started = {}
        weakref.finalize(self, _free, handle, os.getpid())

    def start(self, gradients):
        """gradients: by tensor number, contiguous, on this GPU.  True: the kernels are launched."""
        for k, i in enumerate(self.tensors):
            self._pointers[k] = gradients[i].data_ptr() if i in gradients else None
        _library.call(
            "gtr_cuda_norms_start", self._handle, self._pointers, stream_of(self._device)
        )
        self._started = gradients  # some are copies that must outlive the kernels
        return True

    def wait(self):
        """(numbers of the tensors that were started, array of their reductions)."""
        if not self._started:
            return [], None
        started, self._started = self._started, {}
        _library.call("gtr_cuda_norms_wait", self._handle, self._reductions)
        if len(started) == len(self.tensors):
            return self.tensors, self._reductions
        mine = [k for k, i in enumerate(self.tensors) if i in started]
        found = (_library.Reduction * len(mine))(*(self._reductions[k] for k in mine))
        return [self.tensors[k] for k in mine], found


def _free(handle, process):
    """A forked child has no part in its parent's GPU."""
    if os.getpid() == process:
        _library.load().gtr_cuda_norms_free(handle)
