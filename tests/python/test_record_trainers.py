"""test_record_trainers.py - `gradtrace record` on the Trainer of Hugging Face, Accelerate, PEFT.

Skipped where they are missing or do not go with this torch; test_record_runs.py has their sequence
of calls.  Models are tiny, with random weights, and the data is made up: nothing is downloaded.
"""

import importlib.util
import json
import subprocess
import sys
import unittest

import numpy
from recording import RecordCase

MODEL = """
import json, os, sys, warnings
os.environ["HF_HUB_OFFLINE"] = "1"
warnings.simplefilter("ignore")
import torch, transformers
torch.manual_seed(0)
torch.set_num_threads(1)
sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 2}
config = transformers.LlamaConfig(**sizes, vocab_size=64, max_position_embeddings=16)
net = transformers.LlamaForCausalLM(config)
if "lora" in sys.argv:
    import peft
    targets = ["q_proj", "k_proj", "v_proj", "o_proj"]
    net = peft.get_peft_model(net, peft.LoraConfig(r=4, target_modules=targets,
                                                   task_type="CAUSAL_LM"))
generator = torch.Generator().manual_seed(7)
rows = torch.randint(64, (64, 8), generator=generator)
data = [{"input_ids": row, "labels": row} for row in rows]
names = [name for name, p in net.named_parameters() if p.requires_grad]
"""

TRAINER = (
    MODEL
    + """
transformers.logging.set_verbosity_error()
new = "use_cpu" in transformers.TrainingArguments.__dataclass_fields__
args = transformers.TrainingArguments(
    output_dir="out", max_steps=6, per_device_train_batch_size=4, gradient_accumulation_steps=2,
    learning_rate=1e-2, logging_steps=1, save_strategy="no", report_to=[], disable_tqdm=True,
    seed=3, max_grad_norm=0.1, **{"use_cpu" if new else "no_cuda": True})
trainer = transformers.Trainer(net, args, train_dataset=data)
trainer.remove_callback(transformers.PrinterCallback)
trainer.train()
logs = [entry for entry in trainer.state.log_history if "loss" in entry]
print(json.dumps([names, logs]))
"""
)

ACCELERATE = (
    MODEL
    + """
import accelerate
accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
loader = torch.utils.data.DataLoader(data, batch_size=4)
net, optimizer, loader = accelerator.prepare(net, optimizer, loader)
logs = []
for batch in loader:
    with accelerator.accumulate(net):
        loss = net(**batch).loss
        accelerator.backward(loss)
        if accelerator.sync_gradients:
            total = accelerator.clip_grad_norm_(net.parameters(), 0.1)
            logs.append({"loss": loss.item(), "grad_norm": float(total)})
        optimizer.step()
        optimizer.zero_grad()
print(json.dumps([names, logs]))
"""
)


def missing(*packages):
    """Tried in a process of their own: importing them takes seconds, and may fail in many ways."""
    if any(importlib.util.find_spec(package) is None for package in packages):
        return True
    script = "from transformers import Trainer, LlamaConfig; import " + ", ".join(packages)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False
    ).returncode


class Trainers(RecordCase):
    def check(self, script, *words):
        self.write(script)
        plain = subprocess.run(
            [sys.executable, "train.py", *words],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        done = self.run_command(sys.executable, "train.py", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        names, logs = json.loads(done.stdout)
        losses = [entry["loss"] for entry in json.loads(plain.stdout)[1]]
        self.assertEqual([entry["loss"] for entry in logs], losses)
        arrays, attributes = self.read()
        self.assertEqual(self.names(arrays), names)
        self.assertIn(f"{len(logs)} steps of {len(names)} tensors", done.stderr)
        norms = [entry["grad_norm"] for entry in logs]
        numpy.testing.assert_allclose(self.totals(arrays), norms, rtol=1e-5)
        self.assertGreater(max(norms), 0.1)
        scales = numpy.minimum(1.0, 0.1 / (numpy.array(norms) + 1e-6))
        numpy.testing.assert_allclose(arrays["/step/applied_scale"], scales, rtol=1e-5)
        self.assertEqual(attributes["grad_state"], "pre-clip")
        return arrays, logs

    @unittest.skipIf(missing("transformers", "accelerate"), "needs transformers and accelerate")
    def test_a_trainer_that_accumulates_and_clips(self):
        arrays, logs = self.check(TRAINER)
        self.assertEqual(self.read()[1]["total_steps"], 6)  # the Trainer's own plan
        losses = [entry["loss"] for entry in logs]
        numpy.testing.assert_allclose(arrays["/step/loss"], losses, atol=1e-4)
        rates = 1e-2 * (1 - numpy.arange(6) / 6)  # straight down, from the Trainer's schedule
        numpy.testing.assert_allclose(arrays["/step/lr"], rates, rtol=1e-14)

    @unittest.skipIf(missing("transformers", "accelerate", "peft"), "needs peft")
    def test_a_trainer_of_lora_adapters(self):
        arrays, _ = self.check(TRAINER, "lora")
        names = self.names(arrays)
        self.assertEqual(len(names), 2 * 2 * 4)
        self.assertIn(
            "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight", names
        )

    @unittest.skipIf(missing("transformers", "accelerate"), "needs transformers and accelerate")
    def test_a_loop_of_accelerate(self):
        self.check(ACCELERATE)

    @unittest.skipIf(missing("transformers", "accelerate", "peft"), "needs peft")
    def test_micro_batches_of_a_trainer_add_up_to_its_steps(self):
        self.write(TRAINER)
        for name, rows in (("step.h5", "step"), ("micro.h5", "micro-batch:2")):
            options = ("-o", name, "--elements", "full", "--rows", rows)
            done = self.run_command(sys.executable, "train.py", "lora", options=options)
            self.assertEqual(done.returncode, 0, done.stderr)
        steps, rows = self.read("step.h5")[0], self.read("micro.h5")[0]
        self.assertEqual(list(rows["/step/index"]), list(range(12)))
        scales = rows["/step/applied_scale"]
        self.assertTrue(numpy.isnan(scales[0::2]).all())
        numpy.testing.assert_array_equal(scales[1::2], steps["/step/applied_scale"])
        for i in range(len(self.names(steps))):
            own = rows[f"/grad/{i}"]
            numpy.testing.assert_array_equal(own[0::2] + own[1::2], steps[f"/grad/{i}"])
