"""test_record_plan.py - `gradtrace record`: rows are there at once, and what is known later is told
later: how long the run is to be."""

import subprocess
import sys
import unittest

import numpy
from recording import PRELUDE, PROGRAM, RecordCase


class Planned(RecordCase):
    LOOP = """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
import torch.optim.lr_scheduler as rates
def falling(total_steps):
    return lambda step: 1 - step / total_steps
schedule = %s
for step in range(6):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    optimizer.step()
    %s
"""

    def test_the_length_of_a_schedule_that_counts_steps_is_that_of_the_run(self):
        warm_up = "rates.LinearLR(optimizer, total_iters=2)"
        each = "schedule.step()"
        for schedule, step, wanted in (
            ("rates.CosineAnnealingLR(optimizer, T_max=6)", each, 6),
            ("rates.CosineAnnealingLR(optimizer, T_max=9)", each, 9),
            ("rates.CosineAnnealingLR(optimizer, T_max=2)", "step % 3 == 2 and " + each, 0),
            ("rates.OneCycleLR(optimizer, 0.1, total_steps=6)", each, 6),
            ("rates.LambdaLR(optimizer, falling(6))", each, 6),
            (warm_up, each, 0),
            (f"rates.SequentialLR(optimizer, [{warm_up}, rates.CosineAnnealingLR(optimizer, 4)],"
             " [2])", each, 6),
            ("rates.StepLR(optimizer, 2)", each, 0),
        ):
            with self.subTest(schedule):
                body = "import warnings; warnings.simplefilter('ignore')\n" + self.LOOP
                self.record(body % (schedule, step), options=("-o", "run.h5", "--force"))
                attributes = self.read()[1]
                self.assertEqual(attributes["total_steps"], wanted or 6)
                self.assertEqual(attributes.get("total_steps_from"), None if wanted else "rows")

    def test_the_rows_are_the_plan_only_of_a_run_that_ends_by_itself(self):
        body = self.LOOP % ("None", "")
        cut = body + "os.kill(os.getpid(), 15)\n"
        for ending, wanted in (
            (body, 6),
            (body + "os._exit(0)\n", 6),
            (body + "raise KeyError('a fault')\n", 0),
            (body + "os._exit(3)\n", 0),
            (cut, 0),
        ):
            with self.subTest(ending[-40:]):
                self.write(PRELUDE + ending)
                self.run_command(sys.executable, "train.py", options=("-o", "run.h5", "--force"))
                arrays, attributes = self.read()
                self.assertEqual(len(arrays["/step/index"]), 6)
                self.assertEqual(attributes["total_steps"], wanted)
                self.assertEqual("total_steps_from" in attributes, wanted > 0)

    def test_a_plan_that_becomes_known_later_is_in_a_folder_at_once(self):
        body = self.LOOP % ("rates.OneCycleLR(optimizer, 0.1, total_steps=40)", "schedule.step()")
        self.write(PRELUDE + body + "os.kill(os.getpid(), 9)\n")
        self.run_command(sys.executable, "train.py", options=("-o", "run.gtr"))
        told = subprocess.check_output([PROGRAM, "info", self.path("run.gtr")], text=True)
        self.assertIn("steps         6, numbered 0 to 5; the run was planned for 40", told)


class AtOnce(RecordCase):
    def test_a_row_is_there_when_its_step_has_ended(self):
        body = """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(%d):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    optimizer.step()
os.kill(os.getpid(), 9)
"""
        for n in (1, 2, 3):
            self.write(PRELUDE + body % n)
            self.run_command(sys.executable, "train.py", options=("-o", "run.gtr", "--force"))
            rows = self.told("run.gtr", "--steps")
            self.assertEqual(len(rows), n)
            self.assertTrue(all(0.0 < float(row[5]) < 1.0 for row in rows), rows)

    def test_the_time_of_a_row_is_that_of_its_gradients(self):
        seen = self.record("""
import time
class Slow(torch.optim.SGD):
    def step(self):
        super().step()
        time.sleep((0.0, 0.0, 0.1, 0.9)[len(seen["norms"]) - 1])
optimizer = Slow(net.parameters(), lr=1e-2)
for step in range(4):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    seen["norms"].append(time.monotonic())
    optimizer.step()
""")
        times, made = self.read()[0]["/step/time"], seen["norms"]
        self.assertAlmostEqual(times[3] - times[2], made[3] - made[2], delta=0.3)


if __name__ == "__main__":
    unittest.main()
