"""test_host_copies.py - what is kept of a gradient comes to the host whole, however batched."""

import unittest
from unittest import mock

import torch
from gradtrace import _host_copies
from gradtrace._host_copies import HostCopies, Kept


class KeptElements(unittest.TestCase):
    def test_all_of_a_tensor(self):
        grad = torch.randn(3, 700)
        self.assertTrue(torch.equal(Kept("w", 2100, 0.0, 0).of(grad), grad.view(-1)))

    def test_a_sample_is_made_of_whole_blocks_in_rising_order(self):
        for numel in (1, 1023, 1024, 1025, 5000, 70000):
            grad = torch.arange(numel, dtype=torch.float32)
            kept = Kept("w", numel, 0.3, 5).of(grad)
            blocks = sorted(set((kept // 1024).long().tolist()))
            n = -(-numel // 1024)
            self.assertEqual(len(blocks), max(1, int(0.3 * n + 0.5)))
            whole = [grad[1024 * b : 1024 * b + 1024] for b in blocks]
            self.assertTrue(torch.equal(kept, torch.cat(whole)))

    def test_name_and_seed_choose_the_blocks(self):
        grad = torch.arange(100000, dtype=torch.float32)
        first = Kept("w", 100000, 0.1, 0).of(grad)
        self.assertTrue(torch.equal(first, Kept("w", 100000, 0.1, 0).of(grad)))
        self.assertFalse(torch.equal(first, Kept("v", 100000, 0.1, 0).of(grad)))
        self.assertFalse(torch.equal(first, Kept("w", 100000, 0.1, 1).of(grad)))


class Batches(unittest.TestCase):
    def fetch(self, wanted, most):
        found, copies = [], HostCopies()
        with mock.patch.object(_host_copies, "_BATCH_BYTES", most):
            for batch in copies.batches(wanted):
                found.extend((i, tensor.clone()) for i, tensor in batch)
        return found

    def test_every_tensor_comes_once_and_as_it_is(self):
        torch.manual_seed(0)
        kinds = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
        wanted = [(9 * i, torch.randn(50 * i).to(kinds[i % 4])) for i in range(1, 20)]
        for most in (1, 64, 1000, 4096, 1 << 20):
            found = self.fetch(wanted, most)
            self.assertEqual([i for i, _ in found], [i for i, _ in wanted])
            for (_, got), (_, given) in zip(found, wanted):
                self.assertEqual(got.dtype, given.dtype)
                self.assertTrue(torch.equal(got, given))

    def test_nothing_is_nothing(self):
        self.assertEqual(self.fetch([], 1000), [])

    def test_buffers_serve_again(self):
        copies = HostCopies()
        for value in (1.0, 2.0, 3.0):
            batches = list(copies.batches([(0, torch.full((10,), value))]))
            self.assertEqual(batches[0][0][1].tolist(), [value] * 10)
        self.assertIsNone(copies._buffers[1])


if __name__ == "__main__":
    unittest.main()
