"""test_accidents.py - full disks, lost and closed folders, forks, two recorders on one path.

Of a file and of a folder of segments alike: the run goes on with the very same losses, one warning
names what could not be done, what is left under the trace's name is right as far as it goes, and
strict raises instead.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

import gradtrace
from recording import PROGRAM, RecordCase

STEPS = 40

# A run that records all elements, 44 kB a step, and has an accident before step 12.
SCRIPT = """
import json, os, resource, shutil, subprocess, sys, time, warnings, torch
import gradtrace

accident, path, strict, program = sys.argv[1], sys.argv[2], sys.argv[3] == "strict", sys.argv[4]
torch.set_num_threads(1)
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Linear(7, 1000), torch.nn.Tanh(), torch.nn.Linear(1000, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
seen = {"losses": [], "norms": [], "raised": None, "left": None}
other = None
descriptors = len(os.listdir("/proc/self/fd"))

def happen():
    global other
    if accident == "files may not grow":  # SIGXFSZ is ignored by Python
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
    elif accident == "folder is removed":
        gone = os.path.dirname(path) + ".gone"  # at once, whatever is being written
        os.rename(os.path.dirname(path), gone)
        shutil.rmtree(gone, ignore_errors=True)
    elif accident == "disk is full":
        with open(os.path.join(os.path.dirname(path), "ballast"), "wb", buffering=0) as file:
            for size in (1 << 16, 1 << 10, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass
    elif accident == "fork":
        child = os.fork()
        if child == 0:
            recorder.step(1.0)
            recorder.applied(0.5)
            recorder.close()
            sys.exit(0)
        seen["child"] = os.waitpid(child, 0)[1]
    elif accident == "second recorder":
        other = gradtrace.Recorder(net, path, strict=strict)

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        if accident == "folder is closed" and os.geteuid() == 0:
            os.setuid(65534)
        recorder = accident != "none" and gradtrace.Recorder(
            net, path, elements="full", total_steps=STEPS, segment_mb=1, strict=strict)
        for step in range(STEPS):
            if step == 12:
                while recorder and recorder.progress().get("steps_written", 12) < 12:
                    time.sleep(0.01)
                happen()
            generator = torch.Generator().manual_seed(step)
            x = torch.randn(16, 7, generator=generator)
            loss = (net(x) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            for each in filter(None, (recorder, other)):
                each.step(loss)
            seen["norms"].append([float(p.grad.double().norm()) for p in net.parameters()])
            optimizer.step()
            seen["losses"].append(loss.item())
        for each in filter(None, (recorder, other)):
            each.close()
    except gradtrace.Error as error:
        seen["raised"] = str(error)
seen["descriptors"] = len(os.listdir("/proc/self/fd")) - descriptors
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
seen["said"] = [str(w.message) for w in caught]
folder = os.path.dirname(path)
seen["left"] = sorted(os.listdir(folder)) if os.path.isdir(folder) else None
if os.path.exists(path):
    done = subprocess.run([program, "verify", path], capture_output=True, text=True)
    seen["verify"] = done.returncode, done.stdout + done.stderr
    done = subprocess.run([program, "export", path], capture_output=True, text=True)
    seen["export"] = done.returncode, done.stdout, done.stderr
    done = subprocess.run([program, "info", path], capture_output=True, text=True)
    seen["info"] = done.stdout + done.stderr
print(json.dumps(seen))
""".replace("STEPS", str(STEPS))

# In a mount namespace of its own: a disk of so many bytes.
SMALL_DISK = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def small_disks():
    probe = ["unshare", "-mr", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class Accidents(RecordCase):
    def have(self, accident, name, strict=False, wrapper=()):
        """What the script saw."""
        folder = self.path("traces")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        if accident == "folder is closed":
            os.chmod(self.folder, 0o755)
            os.chmod(folder, 0o555)
        package = os.path.dirname(os.path.dirname(gradtrace.__file__))
        path = os.path.join(folder, name)
        how = "strict" if strict else "lax"
        done = subprocess.run(
            [*wrapper, sys.executable, "-c", SCRIPT, accident, path, how, PROGRAM],
            env=self.environment(PYTHONPATH=package),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def wanted(self):
        """The losses of the run that is not recorded."""
        if not hasattr(Accidents, "_wanted"):
            Accidents._wanted = self.have("none", "run.h5")["losses"]
        self.assertEqual(len(Accidents._wanted), STEPS)
        return Accidents._wanted

    def check_run(self, seen, *words):
        """It went on and was told of one thing."""
        self.check_went_on(seen)
        self.assertEqual(len(seen["said"]), 1 if words else 0, seen["said"])
        for word in words:
            self.assertIn(word, seen["said"][0])

    def check_went_on(self, seen):
        self.assertEqual(seen["losses"], self.wanted())
        self.assertIsNone(seen["raised"])

    def check_told(self, seen, reason):
        """Of the elements that end, and then perhaps of the norms; each once."""
        self.check_went_on(seen)
        self.assertIn(len(seen["said"]), (1, 2), seen["said"])
        for said in seen["said"]:
            self.assertIn(self.NAME, said)
            self.assertIn(reason, said)
            self.assertRegex(
                said,
                "from here on norms only$|has the norms of all steps, but no elements: |"
                f"recording stops here, training goes on$|{reason}$",  # the last: at its close
            )
        self.assertEqual(len(set(seen["said"])), len(seen["said"]))

    def check_trace(self, seen, least):
        """Rows of the first steps, as torch saw them; nothing else in the folder."""
        self.assertEqual(seen["verify"][0], 0, seen["verify"])
        status, table, errors = seen["export"]
        self.assertEqual((status, errors), (0, ""))
        norms = {}
        for line in table.splitlines()[1:]:
            step, _, norm = line.split(",")
            norms.setdefault(int(step), []).append(float(norm))
        self.assertEqual(list(norms), list(range(len(norms))))
        self.assertTrue(least <= len(norms) <= STEPS, len(norms))
        for step, row in norms.items():
            self.assertEqual(len(row), len(seen["norms"][step]))
            for got, wanted in zip(row, seen["norms"][step]):
                self.assertAlmostEqual(got, wanted, delta=1e-12 * wanted)


class Folder(Accidents):
    """A folder of segments keeps every row of the steps before the accident."""

    NAME = "run.gtr"

    def test_a_fork_changes_nothing(self):
        seen = self.have("fork", self.NAME)
        self.check_run(seen)
        self.assertNotIn("stopped", seen["info"])
        self.assertEqual(seen["child"], 0)
        self.check_trace(seen, STEPS)
        self.assertEqual(seen["left"], [self.NAME])
        self.assertEqual(seen["descriptors"], 0)

    def test_a_second_recorder_harms_neither_the_run_nor_the_first(self):
        seen = self.have("second recorder", self.NAME)
        self.check_run(seen, self.NAME, self.SECOND)
        self.check_trace(seen, STEPS)
        self.assertEqual(seen["left"], [self.NAME])

    SECOND = "rank 0 is being recorded by process"

    def test_a_folder_that_may_not_be_written_to(self):
        seen = self.have("folder is closed", self.NAME)
        self.check_run(seen, f"{self.NAME}: cannot write: Permission denied; recording stops here")
        self.assertEqual(seen["left"], [])

    def test_a_folder_that_is_removed_in_mid_run(self):
        seen = self.have("folder is removed", self.NAME)
        self.check_went_on(seen)
        if seen["said"]:  # nothing, if the writer comes to its files only after they are made again
            self.check_told(seen, "cannot write: No such file or directory")
        self.assertEqual(seen["left"], [self.NAME])  # made again, with the norms of all steps
        self.check_trace(seen, STEPS)

    def test_a_file_that_may_not_grow(self):
        seen = self.have("files may not grow", self.NAME)
        self.check_told(seen, "cannot write: File too large")
        self.check_left(seen)

    def check_left(self, seen):
        self.check_trace(seen, 12)
        self.check_mark(seen)
        self.assertEqual(seen["left"], [self.NAME])

    def check_mark(self, seen):
        """The trace itself says that it ends before the run, and why."""
        self.assertRegex(seen["info"], "the recording stopped, and|elements end before the norms")
        said = seen["said"][0].split(self.NAME, 1)[1].split("; ")[0]
        self.assertIn(said, seen["info"])

    @unittest.skipUnless(small_disks(), "no disk can be mounted here")
    def test_a_disk_that_fills_up(self):
        """By somebody else, so that not a byte is left."""
        seen = self.have("disk is full", self.NAME, wrapper=self.small_disk())
        self.check_run(seen, self.NAME, "cannot write: No space left on device")
        seen["left"].remove("ballast")
        self.assertEqual(seen["left"], [self.NAME])  # a file has room set aside for its end
        self.check_left(seen)

    def small_disk(self):
        return ["unshare", "-mr", "sh", "-c", SMALL_DISK, "sh", "16m", self.path("traces")]

    def test_strict_raises_and_what_was_recorded_is_kept(self):
        for accident, steps, words in (
            ("folder is closed", (0, 0), "Permission denied"),
            ("second recorder", self.STRICT_SECOND, self.SECOND),
            ("files may not grow", (12, STEPS), "File too large"),
        ):
            seen = self.have(accident, self.NAME, strict=True)
            self.assertIn(words, seen["raised"])
            self.assertEqual(seen["said"], [])
            self.assertTrue(steps[0] <= len(seen["losses"]) <= steps[1], seen["losses"])
            self.assertEqual(seen["losses"], self.wanted()[: len(seen["losses"])])

    STRICT_SECOND = (12, 12)


class File(Folder):
    """A single file is whole, or not there."""

    NAME = "run.h5"

    def check_left(self, seen):
        if self.NAME in seen["left"]:
            self.check_trace(seen, 12)
            self.check_mark(seen)
        self.assertIn(seen["left"], ([], [self.NAME]))
