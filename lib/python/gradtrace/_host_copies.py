"""_host_copies.py - what is kept of gradients on GPUs, on its way to the host.

Copies go to page-locked memory, a batch at a time: while the library takes one, the next is under
way.  So a step waits for its copies together, not for each, and never needs more than two batches
of memory, however large the model is.
"""

from . import _library

_BLOCK = 1024
_BATCH_BYTES = 64 << 20
_ALIGNED = 64


class Kept:
    """Which elements of a tensor a trace keeps: all, or of a sample the same blocks each step."""

    def __init__(self, name, numel, fraction, seed):
        """fraction 0: all."""
        self._blocks = None
        if fraction > 0.0:
            whole = numel // _BLOCK
            blocks = _library.sample_blocks(_library.Sample(_BLOCK, fraction, seed), name, numel)
            self._blocks = [b for b in blocks if b < whole]
            self._end = whole * _BLOCK
            self._tail = len(self._blocks) < len(blocks)  # the last block, which is short
            self._index = None

    def of(self, gradient):
        """Those of a contiguous gradient, where it is, one behind the other."""
        import torch

        flat = gradient.view(-1)
        if self._blocks is None:
            return flat
        if self._index is None or self._index.device != flat.device:
            self._index = torch.tensor(self._blocks, dtype=torch.int64, device=flat.device)
        parts = []
        if self._blocks:
            parts.append(flat[: self._end].view(-1, _BLOCK).index_select(0, self._index).view(-1))
        if self._tail:
            parts.append(flat[self._end :])
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class HostCopies:
    """Two buffers, made when they are first needed."""

    def __init__(self):
        self._buffers = [None, None]

    def batches(self, wanted):
        """wanted: pairs (tensor number, contiguous tensor of one dimension on a GPU).

        Yields lists of pairs (tensor number, the same in host memory), each to be used before the
        next is asked for.
        """
        under_way = None
        for k, batch in enumerate(_batches(wanted)):
            started = self._start(batch, k % 2)
            if under_way is not None:
                yield _wait(under_way)
            under_way = started
        if under_way is not None:
            yield _wait(under_way)

    def _start(self, batch, which):
        n_bytes = sum(_padded(tensor) for _, tensor in batch)
        buffer = self._buffers[which]
        if buffer is None or len(buffer) < n_bytes:
            buffer = self._buffers[which] = _page_locked(n_bytes, batch[0][1].is_cuda)
        copies, at = [], 0
        for i, tensor in batch:
            copy = buffer[at : at + tensor.numel() * tensor.element_size()].view(tensor.dtype)
            copies.append((i, copy.copy_(tensor, non_blocking=True)))
            at += _padded(tensor)
        return copies, [_event(d) for d in {t.device for _, t in batch if t.is_cuda}]


def _event(device):
    """Behind what the device's stream has been told up to now."""
    import torch

    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event


def _wait(started):
    copies, events = started
    for event in events:
        event.synchronize()
    return copies


def _padded(tensor):
    return -(-tensor.numel() * tensor.element_size() // _ALIGNED) * _ALIGNED


def _batches(wanted):
    """Of at most _BATCH_BYTES each, or of one tensor that is larger."""
    batch, room = [], _BATCH_BYTES
    for i, tensor in wanted:
        if batch and _padded(tensor) > room:
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append((i, tensor))
        room -= _padded(tensor)
    if batch:
        yield batch


def _page_locked(n_bytes, cuda):
    import torch

    return torch.empty(n_bytes, dtype=torch.uint8, pin_memory=cuda)
