"""_torch_norms.py - the norms of gradients that lie on GPUs, by torch's own operations.

For a library that was built without CUDA.  The order of additions is the library's (sumsq.h), each
product and each sum is a torch operation of its own on doubles, and so the numbers are the same
bits as on the CPU.  Per step and GPU there are some dozens of launches and a copy for each tensor,
and one wait, for a few bytes per tensor.
"""

from . import _library

_BLOCK, _LANES = 1024, 128
_BATCH_BLOCKS = 1 << 14  # 16 Mi elements: 128 MiB as doubles, three times that while summed


class TorchNorms:
    """The tensors of one device: a start and a wait per step."""

    def __init__(self, device, tensors, numels):
        """tensors: their numbers, of none without elements; numels: how many each has."""
        import torch

        self._device = device
        self.tensors = list(tensors)
        self._started = None
        n_blocks = [-(-numel // _BLOCK) for numel in numels]
        sizes = [1 << (n - 1).bit_length() for n in n_blocks]  # of each tensor's tree
        # The trees one behind the other, the largest first: then those that are done first are at
        # the end, and halving all of them at once never mixes two.
        self._order = sorted(range(len(sizes)), key=lambda k: -sizes[k])
        places, self._n_leaves = {}, 0
        for k in self._order:
            places[k] = self._n_leaves
            self._n_leaves += sizes[k]
        self._done = _done_at_each_level([sizes[k] for k in self._order])
        self._batches = []
        for pieces in _batches(n_blocks):
            leaves = [torch.arange(places[k] + a, places[k] + b) for k, a, b in pieces]
            self._batches.append((pieces, torch.cat(leaves).to(device)))

    def start(self, gradients):
        """gradients: by tensor number, contiguous, on this device.  Returns before they are read;
        what is done to them later on the same stream comes after.  False: there is no memory for
        it, and nothing was started."""
        try:
            self._started = list(gradients), self._reduce(gradients)
        except RuntimeError:  # of torch: out of memory
            return False
        return True

    def wait(self):
        """(numbers of the tensors that were started, array of their reductions)."""
        if self._started is None:
            return [], None
        (numbers, results), self._started = self._started, None
        sums, largest, bad = results.tolist()  # waits
        places = {self.tensors[k]: at for at, k in enumerate(self._order)}
        found = (_library.Reduction * len(numbers))()
        for k, at in enumerate(places[i] for i in numbers):
            found[k] = _library.Reduction(sums[at], largest[at], int(bad[at]))
        return numbers, found

    def _reduce(self, gradients):
        import torch

        flat = [gradients[i].view(-1) if i in gradients else None for i in self.tensors]
        sums, largest = (self._leaves(torch.float64) for _ in range(2))
        bad = self._leaves(torch.int64)
        for pieces, leaves in self._batches:
            found = _reduce_blocks(_gather(flat, pieces, len(leaves), self._device))
            for tree, values in zip((sums, largest, bad), found):
                tree.index_copy_(0, leaves, values)
        results = (
            self._roots(sums, torch.add),
            self._roots(largest, torch.maximum).to(torch.float32).to(torch.float64),
            self._roots(bad, torch.add).to(torch.float64),  # exact below 2^53
        )
        return torch.stack(results)

    def _leaves(self, dtype):
        import torch

        return torch.zeros(self._n_leaves, dtype=dtype, device=self._device)

    def _roots(self, tree, join):
        """Of each tensor, in self._order."""
        import torch

        found = []
        for n_done in self._done:
            cut = len(tree) - n_done
            found.append(tree[cut:])
            tree = tree[:cut]
            if cut > 0:
                tree = join(tree[0::2], tree[1::2])
        return torch.cat(found[::-1])


def _done_at_each_level(sizes):
    """How many trees have come down to one node after 0, 1, ... halvings."""
    levels = [size.bit_length() - 1 for size in sizes]
    return [levels.count(level) for level in range(max(levels) + 1)]


def _batches(n_blocks):
    """Lists of pieces (k, first block, end) that hold at most _BATCH_BLOCKS together."""
    pieces, room = [], _BATCH_BLOCKS
    for k, n in enumerate(n_blocks):
        at = 0
        while at < n:
            end = min(n, at + room)
            pieces.append((k, at, end))
            room -= end - at
            at = end
            if room == 0:
                yield pieces
                pieces, room = [], _BATCH_BLOCKS
    if pieces:
        yield pieces


def _gather(flat, pieces, n_blocks, device):
    """The pieces as doubles, a block in a row, zeros behind each tensor's end."""
    import torch

    out = torch.zeros(n_blocks * _BLOCK, dtype=torch.float64, device=device)
    at = 0
    for k, first, end in pieces:
        if flat[k] is not None:
            part = flat[k][first * _BLOCK : end * _BLOCK]
            out[at : at + len(part)].copy_(part)
        at += (end - first) * _BLOCK
    return out.view(n_blocks, _BLOCK)


def _reduce_blocks(x):
    """Of each row: sum of squares, largest magnitude, count of elements that are not finite."""
    bad = x.isfinite().logical_not_()
    x.masked_fill_(bad, 0.0)
    largest = x.abs().amax(dim=1)
    lanes = x.mul_(x).view(len(x), _BLOCK // _LANES, _LANES)
    s = lanes[:, 0].clone()
    for k in range(1, _BLOCK // _LANES):
        s += lanes[:, k]
    half = _LANES // 2
    while half > 0:
        s = s[:, :half] + s[:, half : 2 * half]
        half //= 2
    return s[:, 0], largest, bad.sum(dim=1)
