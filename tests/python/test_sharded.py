"""test_sharded.py - of tensors that several ranks hold, each element is recorded by one rank."""

import unittest

import gradtrace
import numpy
import torch
from gradtrace._sharded import part_of, replicated
from harness import Case


class Placed:
    """One dimension of a mesh: cut, repeated, or a sum that was not made."""

    def __init__(self, kind):
        self.kind = kind

    def is_partial(self):
        return self.kind == "partial"

    def is_replicate(self):
        return self.kind == "replicate"


class Mesh:
    def __init__(self, *ranks):
        self.ranks = ranks

    def get_local_rank(self, dimension):
        return self.ranks[dimension]


class Held:
    """As much of a DTensor as is asked of one."""

    def __init__(self, local, kinds, ranks):
        self.local, self.dtype, self.requires_grad = local, local.dtype, True
        self.placements, self.device_mesh = [Placed(kind) for kind in kinds], Mesh(*ranks)
        self.grad = None

    def detach(self):
        return self

    def to_local(self):
        return self.local


class Parts(Case):
    def test_of_a_cut_tensor_every_rank_has_its_part(self):
        local = torch.ones(3, 5)
        for ranks in ((0, 0), (0, 1), (1, 0), (1, 1)):
            self.assertIs(part_of(Held(local, ["shard", "shard"], ranks)), local)

    def test_of_a_repeated_one_the_first_rank_has_all_and_the_others_nothing(self):
        local = torch.ones(3, 5)
        for ranks, numel in (((0, 0), 15), ((0, 1), 15), ((1, 0), 0), ((1, 1), 0)):
            self.assertEqual(part_of(Held(local, ["replicate", "shard"], ranks)).numel(), numel)

    def test_a_sum_that_was_not_made_is_refused(self):
        with self.assertRaisesRegex(gradtrace.Error, "Partial"):
            part_of(Held(torch.ones(2), ["partial"], (0,)))

    def test_a_tensor_that_is_not_sharded_is_itself(self):
        tensor = torch.ones(2)
        self.assertIs(part_of(tensor), tensor)
        self.assertIs(replicated(tensor), tensor)

    def test_a_value_that_all_ranks_have_is_known(self):
        norm = torch.tensor(2.5)
        self.assertIs(replicated(Held(norm, ["replicate"], (1,))), norm)
        self.assertIsNone(replicated(Held(norm, ["partial"], (1,))))

    def record(self, rank, path):
        cut = Held(torch.zeros(2, 3), ["shard"], (rank,))
        again = Held(torch.zeros(4), ["replicate"], (rank,))
        named = [("cut", cut), ("again", again)]
        with gradtrace.Recorder(
            named, path, elements="full", rank=rank, world_size=2, strict=True
        ) as recorder:
            for step in range(3):
                cut.grad = Held(torch.full((2, 3), step + rank + 1.0), ["shard"], (rank,))
                again.grad = Held(torch.full((4,), step + 1.0), ["replicate"], (rank,))
                recorder.step()

    def test_parts_of_two_ranks_add_up_to_the_whole(self):
        sums = numpy.zeros((3, 2))
        for rank in (0, 1):
            self.record(rank, self.path(f"rank{rank}.h5"))
            arrays, attributes = self.read(f"rank{rank}.h5")
            sums += arrays["/norm/sumsq"]
            self.assertIn('"sharded": true', attributes["meta"])
            self.assertEqual(arrays["/grad/0"].shape, (3, 6))
            self.assertEqual(list(arrays["/param/numel"]), [6, 0 if rank else 4])
        steps = numpy.arange(3)
        self.assertEqual(list(sums[:, 0]), list(6.0 * (steps + 1) ** 2 + 6.0 * (steps + 2) ** 2))
        self.assertEqual(list(sums[:, 1]), list(4.0 * (steps + 1) ** 2))

    def test_a_gradient_that_is_cut_otherwise_is_refused(self):
        parameter = Held(torch.zeros(2, 3), ["shard"], (0,))
        parameter.grad = Held(torch.zeros(4, 3), ["replicate"], (0,))
        with gradtrace.Recorder([("w", parameter)], self.path(), strict=True) as recorder:
            with self.assertRaisesRegex(gradtrace.Error, "w: its gradient is not sharded as"):
                recorder.step()


if __name__ == "__main__":
    unittest.main()
