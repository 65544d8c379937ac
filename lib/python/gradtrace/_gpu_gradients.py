"""_gpu_gradients.py - gradients that lie on GPUs, on their way to the library.

They are reduced where they are, by the library's kernels or, if it was built without CUDA, by
torch's operations: the same bits.  A step waits once for each GPU.  Elements come to the host only
at steps that keep some, and of a sample only those.
"""

from ctypes import c_size_t, c_void_p

from . import _library
from ._host_copies import HostCopies, Kept
from ._kernel_norms import KernelNorms
from ._library import Error
from ._torch_norms import TorchNorms


def device_of(tensor):
    """CUDA's number of the GPU that holds a tensor, or None."""
    return tensor.get_device() if tensor.is_cuda else None


class GpuGradients:
    """Plans once which tensors each GPU reduces; then a start and a give per step."""

    def __init__(self, named, kinds, options):
        """kinds: the tensors' types in the trace; options: the recorder's, of the library."""
        self._plans = []
        self._kept, self._copies = {}, HostCopies()
        self._names = [name for name, _ in named]
        sampled = options.elements == _library.ELEMENTS["blocks"]
        self._sampling = (options.fraction if sampled else 0.0, options.seed)
        found = {}
        for i, (_, parameter) in enumerate(named):
            if device_of(parameter) is not None and parameter.numel() > 0:
                found.setdefault(device_of(parameter), []).append((i, parameter))
        for device, tensors in found.items():
            self._plans.append((device, _plan(device, tensors, kinds)))
        self._started = {}

    def start(self, gradients, readable):
        """Starts what can be; returns those gradients by tensor number.

        gradients: per tensor its gradient or None.  readable(i) makes it contiguous, of the type
        planned, where it is.
        """
        self._started = {}
        for device, plan in self._plans:
            mine = {
                i: readable(i)
                for i in plan.tensors
                if gradients[i] is not None and device_of(gradients[i]) == device
            }
            if mine and plan.start(mine):
                self._started.update(mine)
        return self._started

    def give(self, handle, keeps):
        """Gives all that was started to the row under way; keeps: with elements."""
        started, self._started = self._started, {}
        for _, plan in self._plans:
            numbers, sums = plan.wait()
            if numbers and keeps:
                self._give_elements(handle, started, dict(zip(numbers, sums)))
            elif numbers:
                _give(handle, numbers, sums, None)

    def _give_elements(self, handle, started, sums):
        wanted = [(i, self._kept_of(i, started[i])) for i in sums]
        for batch in self._copies.batches(wanted):
            numbers = [i for i, _ in batch]
            array = (_library.Reduction * len(batch))(*(sums[i] for i in numbers))
            _give(handle, numbers, array, [copy.data_ptr() for _, copy in batch])

    def _kept_of(self, i, gradient):
        if i not in self._kept:
            self._kept[i] = Kept(self._names[i], gradient.numel(), *self._sampling)
        return self._kept[i].of(gradient)


def _plan(device, tensors, kinds):
    numbers, numels = [i for i, _ in tensors], [p.numel() for _, p in tensors]
    if _library.load().gtr_device_count() > 0:
        try:
            return KernelNorms(device, numbers, [kinds[i] for i in numbers], numels)
        except Error:
            pass  # a GPU that is torch's and not the library's
    return TorchNorms(tensors[0][1].device, numbers, numels)


def _give(handle, numbers, sums, addresses):
    n = len(numbers)
    pointers = None if addresses is None else (c_void_p * n)(*addresses)
    handle.call("gtr_recorder_reduced", n, (c_size_t * n)(*numbers), sums, pointers)
