"""test_logs_imported.py - `gradtrace import` of files that the real writers have just written.

Each part is skipped where its framework is missing.  Models are tiny and the data is made up.
"""

import contextlib
import csv
import glob
import io
import json
import logging
import os
import subprocess
import unittest
import warnings

import numpy
import torch
from harness import Case

PROGRAM = os.environ.get("GRADTRACE", "build/gradtrace")


def present(*names):
    """None, or why these modules cannot be used."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names:
                __import__(name)
    except Exception as error:
        return f"needs {', '.join(names)} ({type(error).__name__})"
    return None


NO_TRAINER = present("transformers", "accelerate")
NO_TENSORBOARD = present("tensorboard", "torch.utils.tensorboard")
NO_LIGHTNING = present("lightning")
NO_MMENGINE = present("mmengine.runner")


class Imported(Case):
    def imported(self, log, *options):
        """Steps, {series: norms} and what import said."""
        trace = self.path("imported.h5")
        command = [PROGRAM, "import", log, "-o", trace, "--force", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        command = [PROGRAM, "export", trace]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        series = {}
        for row in csv.DictReader(io.StringIO(text)):
            series.setdefault(row["module"], {})[int(row["step"])] = float(row["norm"])
        return series, done.stderr


@unittest.skipIf(NO_TRAINER, NO_TRAINER)
class HuggingFaceTrainer(Imported):
    def run_trainer(self, report_to=()):
        """A run with evaluations that logs one step in three; prints to a file."""
        import transformers
        from test_hugging_face_trainer import gpt2, sentences

        transformers.logging.set_verbosity_error()
        with warnings.catch_warnings(), open(self.path("out.log"), "w") as out:
            warnings.simplefilter("ignore")
            args = transformers.TrainingArguments(
                output_dir=self.path("trainer"),
                max_steps=21,
                per_device_train_batch_size=4,
                logging_steps=3,
                eval_strategy="steps",
                eval_steps=6,
                max_grad_norm=1.0,
                report_to=list(report_to),
                disable_tqdm=True,
                use_cpu=True,
            )
            data = sentences(64)
            trainer = transformers.Trainer(
                gpt2(), args, train_dataset=data, eval_dataset=data[:8]
            )
            with contextlib.redirect_stdout(out):
                trainer.train()
        trainer.state.save_to_json(self.path("trainer_state.json"))
        rows = [row for row in trainer.state.log_history if "grad_norm" in row]
        self.assertEqual([row["step"] for row in rows], [3, 6, 9, 12, 15, 18, 21])
        return {row["step"]: float(row["grad_norm"]) for row in rows}

    def test_its_state_is_read_to_the_bit(self):
        norms = self.run_trainer()
        series, said = self.imported(self.path("trainer_state.json"))
        self.assertEqual(series, {"grad_norm": norms})
        self.assertIn("7 rows, 3 to 21, one row in 3 steps", said)
        self.assertIn("norms are pre-clip, of the last step of each interval", said)
        self.assertEqual(self.read("imported.h5")[1]["total_steps"], 21)

    def test_what_it_prints_is_read(self):
        norms = self.run_trainer()
        series, said = self.imported(self.path("out.log"), "--every", "3")
        self.assertEqual(list(series["grad_norm"]), list(norms))
        printed = numpy.array(list(series["grad_norm"].values()))
        numpy.testing.assert_allclose(printed, list(norms.values()), rtol=1e-3)  # 4 digits
        self.assertIn("read as trainer of Hugging Face Trainer", said)

    @unittest.skipIf(NO_TENSORBOARD, NO_TENSORBOARD)
    def test_its_event_file_is_read(self):
        norms = self.run_trainer(report_to=["tensorboard"])
        (events,) = glob.glob(self.path("**/events.out.tfevents.*"), recursive=True)
        series, said = self.imported(events)
        wanted = {step: float(numpy.float32(norm)) for step, norm in norms.items()}
        self.assertEqual(series, {"train/grad_norm": wanted})
        self.assertIn("tfevents of Hugging Face Trainer", said)


@unittest.skipIf(NO_TENSORBOARD, NO_TENSORBOARD)
class TensorBoard(Imported):
    def test_scalars_of_both_kinds_are_read(self):
        from torch.utils.tensorboard import SummaryWriter

        norms = {step: 0.1 * step for step in range(1, 6)}
        for new_style in (False, True):
            folder = self.path(f"board{new_style}")
            with SummaryWriter(folder) as writer:
                for step, norm in norms.items():
                    writer.add_scalar("grad_norm/enc", norm, step, new_style=new_style)
                    writer.add_scalar("grad_norm/dec", 2 * norm, step, new_style=new_style)
                    writer.add_histogram("weights", torch.arange(9.0), step)
                    writer.add_scalar("loss", 1 / step, step, new_style=new_style)
            (events,) = glob.glob(folder + "/events*")
            series, said = self.imported(events)
            for name, factor in (("enc", 1), ("dec", 2)):
                wanted = {s: float(numpy.float32(factor * n)) for s, n in norms.items()}
                self.assertEqual(series[name], wanted)
            self.assertIn("loss from loss", said)

    def test_what_export_writes_is_what_tensorboard_reads(self):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        with open(self.path("log.csv"), "w") as file:
            file.write("step,loss,grad_norm/q,grad_norm/k\n1,2.5,0.5,0.1\n2,2,0.25,3\n300,,1,2\n")
        self.imported(self.path("log.csv"))
        command = [PROGRAM, "export", self.path("imported.h5")]
        subprocess.run([*command, "-o", self.path("events.out.tfevents.x")], check=True)
        events = EventAccumulator(self.path("events.out.tfevents.x"))
        events.Reload()
        self.assertEqual(events.Tags()["scalars"], ["loss", "grad_norm/q", "grad_norm/k"])
        rows = [(row.step, row.value) for row in events.Scalars("grad_norm/k")]
        self.assertEqual(rows, [(1, float(numpy.float32(0.1))), (2, 3.0), (300, 2.0)])

    def test_damage_is_told(self):
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(self.path("board")) as writer:
            writer.add_scalar("grad_norm", 1.5, 1)
        (events,) = glob.glob(self.path("board/events*"))
        with open(events, "r+b") as file:
            data = bytearray(file.read())
            data[-6] ^= 1
            file.seek(0)
            file.write(data)
        done = subprocess.run([PROGRAM, "import", events], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not fit its CRC; the file is damaged", done.stderr)


@unittest.skipIf(NO_LIGHTNING, NO_LIGHTNING)
class Lightning(Imported):
    def test_its_csv_gives_a_series_for_each_parameter(self):
        import lightning
        from lightning.pytorch.loggers import CSVLogger
        from lightning.pytorch.utilities import grad_norm

        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        seen = {}

        class Net(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(4, 2)

            def training_step(self, batch):
                loss = self.fc(batch).square().mean()
                self.log("train_loss", loss, on_step=True, on_epoch=True)
                return loss

            def on_before_optimizer_step(self, optimizer):
                seen[self.global_step] = {
                    name: p.grad.norm().item() for name, p in self.named_parameters()
                }
                self.log_dict(grad_norm(self, norm_type=2))

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 0.1)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = lightning.Trainer(
                max_steps=12,
                accelerator="cpu",
                logger=CSVLogger(self.folder, name="log"),
                log_every_n_steps=2,
                enable_progress_bar=False,
                enable_model_summary=False,
                enable_checkpointing=False,
            )
            torch.manual_seed(1)
            trainer.fit(Net(), torch.utils.data.DataLoader(torch.randn(24, 4), batch_size=4))
        (metrics,) = glob.glob(self.path("log/**/metrics.csv"), recursive=True)
        series, said = self.imported(metrics)
        self.assertEqual(sorted(series), ["fc.bias", "fc.weight"])
        for name, norms in series.items():
            for step, norm in norms.items():
                self.assertAlmostEqual(norm, seen[step][name], delta=1e-4 * norm)
        self.assertIn("one row in 2 steps", said)


@unittest.skipIf(NO_MMENGINE, NO_MMENGINE)
class MMEngine(Imported):
    def test_its_scalars_and_its_log_are_the_same(self):
        from mmengine.model import BaseModel
        from mmengine.runner import Runner

        class Net(BaseModel):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(4, 2)

            def forward(self, batch, mode):
                return {"loss": self.fc(batch).square().mean()}

        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            rows = torch.utils.data.TensorDataset(torch.randn(24, 4))
            data = torch.utils.data.DataLoader(rows, batch_size=4)
            Runner(
                model=Net(),
                work_dir=self.folder,
                train_dataloader=data,
                optim_wrapper={
                    "optimizer": {"type": "SGD", "lr": 0.1},
                    "clip_grad": {"max_norm": 0.5},
                },
                train_cfg={"by_epoch": True, "max_epochs": 3},
                default_hooks={"logger": {"type": "LoggerHook", "interval": 2}},
                log_level="INFO",
            ).train()
        (scalars,) = glob.glob(self.path("*/vis_data/scalars.json"))
        (log,) = glob.glob(self.path("*/*.log"))
        with open(scalars) as file:
            rows = [json.loads(line) for line in file]
        wanted = {row["step"]: row["grad_norm"] for row in rows if "grad_norm" in row}
        series, said = self.imported(scalars)
        self.assertEqual(series, {"grad_norm": wanted})
        self.assertIn("of mmengine", said)
        printed, said = self.imported(log)
        self.assertEqual(list(printed["grad_norm"]), list(wanted))
        self.assertIn("read as mmengine of mmengine", said)


if __name__ == "__main__":
    unittest.main()
