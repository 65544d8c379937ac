"""_sharded.py - the part that a rank counts of a tensor that several ranks hold (DTensor: FSDP2,
tensor parallelism).

Each element is counted by one rank: of a dimension of the mesh along which the tensor is cut, every
rank has its own part; of one along which it is repeated, the first rank has it and the others have
an empty part.  So sums of squares of all ranks add up to those of the whole tensor, which is what
`gradtrace merge --ranks sum` does.
"""

from ._library import Error
from ._tensors import as_real


def is_sharded(tensor):
    return hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def part_of(tensor):
    """A plain real tensor: this rank's part; of a tensor that is not sharded, itself."""
    if not is_sharded(tensor):
        return as_real(tensor)
    tensor = tensor.detach()
    part = tensor.to_local()
    for dimension, placement in enumerate(tensor.placements):
        if placement.is_partial():
            raise Error(
                "a gradient is a sum over ranks that was not made yet (Partial); record it after "
                "its reduction",
                "usage",
            )
        if placement.is_replicate() and tensor.device_mesh.get_local_rank(dimension) != 0:
            return part.new_empty(0)
    return as_real(part)


def replicated(tensor):
    """The value of a tensor that every rank has, as a plain tensor; None if ranks differ in it."""
    if not is_sharded(tensor):
        return tensor
    if all(placement.is_replicate() for placement in tensor.placements):
        return tensor.detach().to_local()
    return None


def sum_of_squares(grad):
    """Of this rank's part, as a tensor of one number in the host's memory; NaN if one element is
    no number."""
    part = part_of(grad).detach()
    return (part.to_dense().double() if part.is_sparse else part.double()).square().sum().cpu()
