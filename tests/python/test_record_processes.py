"""test_record_processes.py - `gradtrace record` around processes: what passes through.

The recorded command must not be able to tell that it is recorded, but for PYTHONPATH.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

import numpy
import torch
from recording import PRELUDE, PROGRAM, RecordCase

STEPS = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(3):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    optimizer.step()
"""
TOLD = "gradtrace record: run.h5: 3 steps of 4 tensors\n"


class Endings(RecordCase):
    def end(self, body, *words, **more):
        self.write(PRELUDE + body)
        return self.run_command(sys.executable, "train.py", *words, **more)

    def test_exit_status_and_output_pass_through(self):
        done = self.end(
            STEPS + "print(*sys.argv[1:])\nprint('low', file=sys.stderr)\nsys.exit(3)\n",
            "--lr",
            "-o",
            "--",
            "two words",
        )
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stdout, "--lr -o -- two words\n")
        self.assertEqual(done.stderr, "low\n" + TOLD)
        self.assertEqual(len(self.read()[0]["/step/index"]), 3)

    def test_an_exception_is_the_scripts_own(self):
        done = self.end(STEPS + "raise KeyError('mine')\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("KeyError: 'mine'", done.stderr)
        self.assertTrue(done.stderr.endswith(TOLD), done.stderr)

    def test_leaving_by_os_exit_completes_the_trace(self):
        done = self.end(STEPS + "os._exit(5)\n")
        self.assertEqual((done.returncode, done.stderr), (5, TOLD))
        self.assertEqual(len(self.read()[0]["/step/index"]), 3)

    def test_a_missing_command_is_127_and_one_that_is_no_program_126(self):
        self.assertEqual(self.run_command("no-such-program").returncode, 127)
        self.write("text", "data.txt")
        self.assertEqual(self.run_command("./data.txt").returncode, 126)

    def signalled(self, number, more=""):
        self.write(
            PRELUDE + more + STEPS + "print('ready', flush=True)\n"
            "import time\nfor _ in range(600): time.sleep(0.1)\n"
        )
        with subprocess.Popen(
            [PROGRAM, "record", "-o", "run.h5", "--", sys.executable, "train.py"],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Shells start what runs in the background with SIGINT ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as running:
            self.assertEqual(running.stdout.readline(), "ready\n")
            running.send_signal(number)
            output, errors = running.communicate(timeout=60)
        return running.returncode, output, errors

    def test_sigterm_or_a_closed_terminal_end_the_command_and_the_trace_is_complete(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            status, _, errors = self.signalled(number)
            self.assertEqual((status, errors), (128 + number, TOLD))
            self.assertEqual(len(self.read()[0]["/step/index"]), 3)
            os.remove(self.path("run.h5"))

    def test_a_handler_of_the_script_is_the_one_that_is_called(self):
        handler = """
import signal
def stop(number, frame):
    print("mine", number, flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
"""
        status, output, errors = self.signalled(signal.SIGTERM, handler)
        self.assertEqual((status, output, errors), (7, "mine 15\n", TOLD))

    def test_sigint_is_a_keyboard_interrupt(self):
        status, _, errors = self.signalled(signal.SIGINT)
        self.assertEqual(status, 128 + signal.SIGINT)
        self.assertIn("KeyboardInterrupt", errors)
        self.assertTrue(errors.endswith(TOLD), errors)

    def test_a_folder_of_segments_keeps_its_steps_when_the_command_is_killed(self):
        killed = "import signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
        done = self.end(STEPS + killed, options=("-o", "run.gtr"))
        self.assertEqual(done.returncode, 137)
        self.assertIn("run.gtr: never closed: what was completed is in it", done.stderr)
        told = subprocess.check_output([PROGRAM, "info", self.path("run.gtr")], text=True)
        self.assertIn("steps         3, numbered 0 to 2", told)

    def test_no_scratch_folder_is_left(self):
        scratch = self.path("scratch")
        os.mkdir(scratch)
        done = self.end(STEPS, env=self.environment(TMPDIR=scratch))
        self.assertEqual(done.stderr, TOLD)
        # torch 2 leaves a folder of its own there, recorded or not.
        ours = [name for name in os.listdir(scratch) if name.startswith("gradtrace")]
        self.assertEqual(ours, [])


class Quiet(RecordCase):
    """Nothing to record is told, and harms nothing."""

    def check(self, command, words, status=0):
        done = self.run_command(*command)
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(words, done.stderr)
        self.assertFalse(os.path.exists(self.path("run.h5")))

    def test_a_script_without_torch(self):
        # Asking where torch is, as many libraries do, does not count as importing it.
        self.write("import importlib.util\nassert importlib.util.find_spec('torch')\n")
        self.check((sys.executable, "train.py"), "torch was never imported")

    def test_a_script_without_a_step(self):
        self.write(PRELUDE + "loss_of(net, 0).backward()\n")
        self.check((sys.executable, "train.py"), "no optimizer step was seen")

    def test_no_python_at_all(self):
        self.check(("sh", "-c", "exit 4"), "no Python started", 4)

    def test_a_python_that_ignores_its_environment(self):
        self.write(PRELUDE + STEPS)
        self.check((sys.executable, "-I", "train.py"), "no Python started")


class Started(RecordCase):
    """However the Python is started."""

    def check(self, *command, said=TOLD, env=None):
        done = self.run_command(*command, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, said))
        self.assertEqual(len(self.read()[0]["/step/index"]), 3)
        return done.stdout

    def test_by_a_subprocess(self):
        self.write(PRELUDE + STEPS, "inner.py")
        self.write(
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, 'inner.py'], check=True, close_fds=True)\n"
        )
        self.check(sys.executable, "train.py")

    def test_by_module_name_command_and_shebang(self):
        self.write(PRELUDE + STEPS)
        self.check(sys.executable, "-m", "train")
        os.remove(self.path("run.h5"))
        self.check(sys.executable, "-c", PRELUDE + STEPS)
        os.remove(self.path("run.h5"))
        self.write(f"#!{sys.executable}\n" + PRELUDE + STEPS, "train")
        os.chmod(self.path("train"), 0o755)
        self.check("./train")

    @unittest.skipIf(sys.prefix != sys.base_prefix, "in a virtual environment already")
    def test_in_a_virtual_environment(self):
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", "venv"],
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            self.skipTest("no venv can be made here")
        self.write(PRELUDE + STEPS)
        self.check(self.path("venv/bin/python"), "train.py")

    def test_a_sitecustomize_that_was_there_is_run_and_the_path_is_as_it_was(self):
        os.mkdir(self.path("mine"))
        self.write("import builtins\nbuiltins.customized = __file__\n", "mine/sitecustomize.py")
        report = "import sys\nprint(sys.path, sys.meta_path[1:] and customized)\n"
        report += "import sitecustomize\nprint(sitecustomize.__file__)\n"
        report += "print([m for m in sys.modules if 'gradtrace' in m])\n"
        self.write(report + PRELUDE + STEPS)
        environment = self.environment(PYTHONPATH=self.path("mine"))
        recorded = self.check(sys.executable, "train.py", env=environment)
        plain = subprocess.run(
            [sys.executable, "train.py"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertEqual(recorded, plain)
        self.assertIn(self.path("mine/sitecustomize.py"), plain)

    def test_a_fork_after_the_first_step_leaves_the_trace_alone(self):
        self.write(
            PRELUDE
            + STEPS
            + """
child = os.fork()
if child == 0:
    optimizer.step()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
        )
        self.check(sys.executable, "train.py")

    def test_workers_of_a_loader_are_not_heard(self):
        self.write(
            PRELUDE
            + STEPS.replace(
                "for step in range(3):",
                """
loader = torch.utils.data.DataLoader([0, 1, 2], num_workers=2, batch_size=None)
for step in loader:
    step = int(step)""",
            )
        )
        self.check(sys.executable, "train.py")

    RANK = (
        PRELUDE
        + """
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
net = torch.nn.parallel.DistributedDataParallel(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(3):
    optimizer.zero_grad()
    loss_of(net, 2 * step + rank).backward()
    optimizer.step()
"""
    )

    def check_ranks(self, said):
        recorded = []
        for rank, name in enumerate(("run.h5", "run.rank1.h5")):
            arrays, attributes = self.read(name)
            self.assertEqual(len(arrays["/step/index"]), 3)
            self.assertEqual(self.names(arrays)[0], "body.0.weight")
            self.assertEqual((attributes["rank"], attributes["world_size"]), (rank, 2))
            self.assertEqual(attributes["reduction"], "mean")
            self.assertIn(f"{name}: 3 steps of 4 tensors\n", said)
            recorded.append(arrays)
        one, two = recorded
        self.assertTrue((one["/norm/sumsq"] == two["/norm/sumsq"]).all())
        self.assertFalse((one["/step/loss"] == two["/step/loss"]).any())

    @unittest.skipUnless(torch.distributed.is_available(), "needs torch.distributed")
    def test_ranks_have_a_file_each(self):
        self.launch()
        done = self.run_command(sys.executable, "train.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_ranks(done.stderr)

    def launch(self):
        """A script that starts two ranks, as launchers do."""
        port = 20000 + os.getpid() % 20000
        self.write(self.RANK, "rank.py")
        self.write(f"""
import os, subprocess, sys
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="{port}", WORLD_SIZE="2")
ranks = [subprocess.Popen([sys.executable, "rank.py"], env={{**os.environ, "RANK": str(rank)}})
         for rank in range(2)]
sys.exit(max(rank.wait() for rank in ranks))
""")

    @unittest.skipUnless(torch.distributed.is_available(), "needs torch.distributed")
    def test_ranks_share_a_folder_of_segments(self):
        self.launch()
        done = self.run_command(sys.executable, "train.py", options=("-o", "run.gtr"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for place in ("run.gtr", "run.gtr/rank1"):
            self.assertIn(f"{place}: 3 steps of 4 tensors\n", done.stderr)
        told = subprocess.check_output([PROGRAM, "info", self.path("run.gtr/rank1")], text=True)
        self.assertIn("rank 1 of 2, reduction mean", told)

    @unittest.skipUnless(torch.distributed.is_available(), "needs torch.distributed")
    def test_micro_batches_are_the_ranks_own(self):
        self.launch()
        done = self.run_command(
            sys.executable, "train.py", options=("-o", "run.h5", "--rows", "micro-batch:1")
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        one, two = (self.read(name) for name in ("run.h5", "run.rank1.h5"))
        self.assertEqual(one[1]["reduction"], "none")
        self.assertFalse((one[0]["/norm/sumsq"] == two[0]["/norm/sumsq"]).any())
        # Before the first step both ranks have the weights that PRELUDE made.
        seen = self.record("""
for rank in range(2):
    net.zero_grad()
    loss_of(net, rank).backward()
    seen["norms"].append([float(p.grad.double().square().sum()) for p in net.parameters()])
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
optimizer.step()
""", options=("-o", "alone.h5"))
        first = [one[0]["/norm/sumsq"][0], two[0]["/norm/sumsq"][0]]
        numpy.testing.assert_allclose(first, seen["norms"], rtol=1e-13)

    @unittest.skipUnless(torch.distributed.is_available(), "needs torch.distributed")
    def test_torchrun(self):
        self.write(self.RANK)
        launcher = (
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc_per_node",
            "2",
            "--master_port",
            str(20001 + os.getpid() % 20000),
        )
        plain = subprocess.run(
            [*launcher, "train.py"],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            check=False,
        )
        if plain.returncode != 0:
            self.skipTest("this torchrun does not work on this Python")
        done = self.run_command(*launcher, "train.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_ranks(done.stderr)


class Failures(RecordCase):
    """The run is worth more than its trace."""

    BREAK = "import os\nos.rmdir('there')\n"

    def test_an_existing_trace_is_refused_before_the_command_starts(self):
        self.write("mine", "run.h5")
        done = self.run_command(sys.executable, "-c", "print('started')")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("exists already", done.stderr)
        self.write(PRELUDE + STEPS)
        done = self.run_command(sys.executable, "train.py", options=("-o", "run.h5", "--force"))
        self.assertEqual(done.stderr, TOLD)

    def failing(self, *options):
        os.mkdir(self.path("there"))
        self.write(self.BREAK + PRELUDE + STEPS + "print('done')\n")
        return self.run_command(
            sys.executable, "train.py", options=("-o", "there/run.h5", *options)
        )

    def test_a_folder_that_is_gone_is_told_once_and_the_run_goes_on(self):
        done = self.failing()
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("there/run.h5", done.stderr)
        self.assertIn("No such file or directory", done.stderr)
        self.assertIn("the run goes on", done.stderr)

    def test_strict_stops_the_script(self):
        done = self.failing("--strict")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("No such file or directory", done.stderr)

    def test_warnings_made_errors_are_not_ours(self):
        self.write(PRELUDE + STEPS)
        done = self.run_command(sys.executable, "-W", "error", "train.py")
        self.assertEqual((done.returncode, done.stderr), (0, TOLD))

    @unittest.skipUnless(hasattr(torch, "float8_e5m2"), "needs a type that no trace has")
    def test_a_tensor_of_a_type_that_no_trace_has_is_left_out_and_told(self):
        self.write(
            PRELUDE
            + "odd = torch.zeros(3).to(torch.float8_e5m2).requires_grad_()\n"
            + STEPS.replace("net.parameters()", "[*net.parameters(), odd]")
        )
        done = self.run_command(sys.executable, "train.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stderr.endswith(TOLD), done.stderr)
        self.assertIn("param_groups.0.4: its type, torch.float8_e5m2, is not recorded", done.stderr)

    def test_a_package_that_is_damaged_is_told_and_the_run_goes_on(self):
        build = os.path.join(self.folder, "build")
        os.mkdir(build)
        program = shutil.copy(PROGRAM, build)
        tree = os.path.join(os.path.dirname(__file__), "..", "..", "lib", "python", "gradtrace")
        shutil.copytree(tree, os.path.join(build, "python", "gradtrace"))
        self.write("import no_such_module\n", "build/python/gradtrace/_hook.py")
        self.write(PRELUDE + STEPS + "print('done')\n")
        done = subprocess.run(
            [program, "record", "-o", "run.h5", "--", sys.executable, "train.py"],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"))
        self.assertIn("No module named 'no_such_module'", done.stderr)

    def test_starting_costs_little(self):
        self.write("pass\n")
        spent = []
        for _ in range(3):
            began = time.monotonic()
            self.run_command(sys.executable, "train.py")
            spent.append(time.monotonic() - began)
        self.assertLess(min(spent), 2.0)
