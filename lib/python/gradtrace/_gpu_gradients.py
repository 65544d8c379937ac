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

    def __init__(self, named, kinds, sampling):
        """kinds: the tensors' types in the trace; sampling: fraction, 0 for all, and seed."""
        self._kept, self._copies = {}, HostCopies()
        self._names = [name for name, _ in named]
        self._kinds = kinds
        self._sampling = sampling
        self.plan((i, parameter) for i, (_, parameter) in enumerate(named))

    def plan(self, numbered):
        """From now on these are the parameters, as pairs (number, tensor)."""
        found, self._started = {}, {}
        for i, parameter in numbered:
            if device_of(parameter) is not None and parameter.numel() > 0:
                found.setdefault(device_of(parameter), []).append((i, parameter))
        self._plans = [(device, _plan(device, tensors, self._kinds))
                       for device, tensors in found.items()]

    def start(self, gradients, readable):
        """Starts what can be; returns those gradients by tensor number.

        gradients: by tensor number.  readable(i) makes one contiguous, of the type planned, where
        it is.
        """
        self._started = {}
        for device, plan in self._plans:
            mine = {
                i: readable(i)
                for i in plan.tensors
                if i in gradients and device_of(gradients[i]) == device
            }
            if mine and plan.start(mine):
                self._started.update(mine)
        return self._started

    def give(self, handle, keeps):
        """Gives all that was started to the row under way; keeps: with elements."""
        for numbers, sums, kept in self._done(keeps):
            give_reduced(handle, numbers, sums, kept)

    def take(self, taken):
        """The same into a Taken of _gradients.py, which outlasts the buffers here."""
        for numbers, sums, kept in self._done(taken.kept is not None):
            for k, i in enumerate(numbers):
                taken.sums[i] = sums[k]
                if kept is not None:
                    taken.kept[i] = kept[k].clone()

    def _done(self, keeps):
        """Waits; yields numbers, sums and, if kept, elements, in memory that is used again."""
        started, self._started = self._started, {}
        for _, plan in self._plans:
            numbers, sums = plan.wait()
            if not numbers:
                continue
            if not keeps:
                yield numbers, sums, None
                continue
            of = dict(zip(numbers, sums))
            wanted = [(i, self.kept_of(i, started[i])) for i in numbers]
            for batch in self._copies.batches(wanted):
                yield [i for i, _ in batch], [of[i] for i, _ in batch], [copy for _, copy in batch]

    def kept_of(self, i, gradient):
        """What a trace keeps of a contiguous gradient, where it is, in one dimension."""
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


def give_reduced(handle, numbers, sums, kept):
    """Gives sums, and elements in the host's memory unless kept is None, to the row under way."""
    n = len(numbers)
    pointers = None if kept is None else (c_void_p * n)(*(copy.data_ptr() for copy in kept))
    array = (_library.Reduction * n)(*sums)
    handle.call("gtr_recorder_reduced", n, (c_size_t * n)(*numbers), array, pointers)
