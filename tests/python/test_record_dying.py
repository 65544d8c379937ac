"""test_record_dying.py - `gradtrace record` on a bad day: whatever ends or hinders a run, its steps
are there, or it is said why not."""

import os
import shutil
import signal
import subprocess
import sys
import unittest

from recording import PRELUDE, PROGRAM, RecordCase
from test_record_processes import STEPS, TOLD


class Dying(RecordCase):
    def end(self, body, *words, **more):
        self.write(PRELUDE + body)
        return self.run_command(sys.executable, "train.py", *words, **more)

    def test_no_way_of_dying_takes_a_step_of_a_file(self):
        for name in ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGQUIT", "SIGXCPU", "SIGHUP", "SIGTERM"):
            with self.subTest(name):
                number = getattr(signal, name)
                dies = "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
                dies += f"os.kill(os.getpid(), {int(number)})\n"
                done = self.end(STEPS + dies, options=("-o", "run.h5", "--force"))
                self.assertEqual(done.returncode, 128 + number)
                heard = number in (signal.SIGHUP, signal.SIGTERM)
                said = TOLD if heard else "run.h5: its process was killed; 3 steps are saved\n"
                self.assertTrue(done.stderr.endswith(said), done.stderr)
                self.assertEqual(len(self.read()[0]["/step/index"]), 3)
                self.assertEqual(os.listdir(self.folder).count("run.h5.gtr"), 0)

    def test_a_file_is_a_folder_that_can_be_read_while_it_is_recorded(self):
        look = f"import subprocess\nsubprocess.run([{PROGRAM!r}, 'info', 'run.h5.gtr'])\n"
        done = self.end(STEPS + look)
        self.assertIn("steps         3, numbered 0 to 2", done.stdout)
        self.assertIn("3 steps only in the journal", done.stdout)
        self.assertEqual(done.stderr, TOLD)

    def test_a_second_run_of_the_same_name_is_refused_and_takes_nothing(self):
        again = (f"import subprocess\nsubprocess.run([{PROGRAM!r}, 'record', '--force', '-o', "
                 "'run.h5', '--', sys.executable, '-c', '1'])\n")
        done = self.end(STEPS + again)
        self.assertIn("run.h5.gtr: rank 0 is being recorded by process", done.stderr)
        self.assertTrue(done.stderr.endswith(TOLD), done.stderr)
        self.assertEqual(len(self.read()[0]["/step/index"]), 3)

    def test_a_folder_that_goes_meanwhile_comes_again(self):
        goes = "import shutil\nshutil.rmtree('out')\n"
        os.mkdir(self.path("out"))
        done = self.end(STEPS + goes, options=("-o", "out/run.h5"))
        self.assertTrue(done.stderr.endswith("out/run.h5: 3 steps of 4 tensors\n"), done.stderr)
        self.assertEqual(len(self.read("out/run.h5")[0]["/step/index"]), 3)

    def test_a_process_that_is_stopped_and_goes_on_loses_nothing(self):
        stops = ("import signal, subprocess\n"
                 "subprocess.Popen(['sh', '-c', f'sleep 0.3; kill -CONT {os.getpid()}'])\n"
                 "os.kill(os.getpid(), signal.SIGSTOP)\n")
        done = self.end(stops + STEPS)
        self.assertEqual((done.returncode, done.stderr), (0, TOLD))
        self.assertEqual(len(self.read()[0]["/step/index"]), 3)

    def test_without_home_or_a_folder_for_scratch_it_records_or_says_why_not(self):
        env = {k: v for k, v in self.environment().items() if k not in ("HOME", "TMPDIR")}
        done = self.end(STEPS, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, TOLD))
        done = self.end(STEPS, options=("-o", "other.h5"), env={**env, "TMPDIR": "/nowhere"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nowhere: no scratch folder can be made there", done.stderr)

    def test_a_clock_that_goes_backwards_does_not_make_time_do_so(self):
        shim = "#include <time.h>\n#include <sys/time.h>\nstatic time_t now = 2000000000;\n"
        shim += "time_t time(time_t *t) { now -= 100; if (t) *t = now; return now; }\n"
        with open(self.path("back.c"), "w", encoding="utf-8") as file:
            file.write(shim)
        if shutil.which("cc") is None:
            self.skipTest("needs a C compiler")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "back.so", "back.c"], cwd=self.folder,
                       check=True)
        done = self.end(STEPS, env=self.environment(LD_PRELOAD=self.path("back.so")))
        self.assertEqual((done.returncode, done.stderr), (0, TOLD))
        arrays, attributes = self.read()
        times = list(arrays["/step/time"])
        self.assertEqual(times, sorted(times))
        self.assertTrue(attributes["created"].startswith("2033-"), attributes["created"])

    def test_processes_that_the_script_spawns_have_traces_of_their_own(self):
        body = STEPS.replace("\n", "\n    ")
        text = ("import torch.multiprocessing as mp\n"
                "def train(rank):\n    import torch\n    " + body.strip() + "\n"
                "if __name__ == '__main__':\n    mp.spawn(train, nprocs=2)\n")
        done = self.end(text)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("run.h5", "run.2.h5"):
            self.assertEqual(len(self.read(name)[0]["/step/index"]), 3)

    def test_a_program_that_starts_by_an_entry_point_is_recorded(self):
        self.write("def main():\n    import train\n", "tool.py")
        self.write(PRELUDE + STEPS)
        with open(self.path("tool"), "w", encoding="utf-8") as file:
            file.write(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {self.folder!r})\n"
                       "from tool import main\nsys.exit(main())\n")
        os.chmod(self.path("tool"), 0o755)
        done = self.run_command(self.path("tool"))
        self.assertEqual((done.returncode, done.stderr), (0, TOLD))


if __name__ == "__main__":
    unittest.main()
