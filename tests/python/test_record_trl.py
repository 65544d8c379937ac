"""test_record_trl.py - `gradtrace record` on TRL's trainers: SFT and DPO of adapters, GRPO.

Skipped where TRL is missing.  The model is a Qwen2 of two layers with random weights, the tokenizer
one of twenty words, made here, and the sentences are dice: nothing is downloaded.
"""

import importlib.util
import json
import subprocess
import sys
import unittest

import numpy
from recording import RecordCase

PARTS = """
import json, os, random, warnings
os.environ["HF_HUB_OFFLINE"] = "1"
warnings.simplefilter("ignore")
import datasets, peft, torch, transformers, trl
from tokenizers import Tokenizer, models, pre_tokenizers
transformers.logging.set_verbosity_error()
datasets.disable_progress_bars()
torch.manual_seed(0)
torch.set_num_threads(1)
WORDS = "the a cat dog sees likes old big red small tree house ? ! . yes no".split()
table = {word: i for i, word in enumerate(["<pad>", "<eos>", "<unk>"] + WORDS)}
words = Tokenizer(models.WordLevel(table, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
net = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(
    vocab_size=len(table), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64,
    pad_token_id=0, eos_token_id=1, bos_token_id=1))
lora = peft.LoraConfig(
    r=4, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM")
dice = random.Random(5)

def sentence(n):
    return " ".join(dice.choice(WORDS) for _ in range(n))

def table_of(row):
    return datasets.Dataset.from_list([row() for _ in range(64)])

settings = dict(
    output_dir="out", max_steps=4, per_device_train_batch_size=4, gradient_accumulation_steps=2,
    learning_rate=1e-2, logging_steps=1, save_strategy="no", report_to=[], disable_tqdm=True,
    seed=3, max_grad_norm=0.01, use_cpu=True, bf16=False)
"""

SFT = """
trainer = trl.SFTTrainer(
    net, trl.SFTConfig(**settings, max_length=32), processing_class=tokenizer, peft_config=lora,
    train_dataset=table_of(lambda: {"text": sentence(8)}))
"""

DPO = """
def pair():
    return {"prompt": sentence(4), "chosen": " " + sentence(4), "rejected": " " + sentence(4)}

trainer = trl.DPOTrainer(
    net, args=trl.DPOConfig(**settings, max_length=32), processing_class=tokenizer,
    peft_config=lora, train_dataset=table_of(pair))
"""

GRPO = """
def animals(completions, **_):
    return [float(sum(w in ("cat", "dog") for w in text.split())) for text in completions]

trainer = trl.GRPOTrainer(
    net, animals, processing_class=tokenizer,
    args=trl.GRPOConfig(**settings, num_generations=4, max_completion_length=8),
    train_dataset=table_of(lambda: {"prompt": sentence(4)}))
"""

RUN = """
trainer.remove_callback(transformers.PrinterCallback)
names = [name for name, p in trainer.model.named_parameters() if p.requires_grad]
trainer.train()
logs = [entry for entry in trainer.state.log_history if "loss" in entry]
weights = [p.detach().double().sum().item() for p in trainer.model.parameters()]
print(json.dumps({"names": names, "logs": logs, "weights": weights}))
"""


def missing():
    """TRL imports half of the world, so it is tried in a process of its own."""
    if any(importlib.util.find_spec(package) is None for package in ("trl", "peft", "datasets")):
        return True
    script = "import peft, datasets; from trl import SFTTrainer, DPOTrainer, GRPOTrainer"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False
    ).returncode


@unittest.skipIf(missing(), "needs trl, peft and datasets")
class Trl(RecordCase):
    def check(self, make):
        """The run is the same to the bit with and without recording; norms are those TRL logs."""
        self.write(PARTS + make + RUN)
        plain = subprocess.run(
            [sys.executable, "train.py"], cwd=self.folder, env=self.environment(),
            capture_output=True, text=True,
        )
        self.assertEqual(plain.returncode, 0, plain.stderr)
        done = self.run_command(sys.executable, "train.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        seen, unseen = (json.loads(run.stdout.splitlines()[-1]) for run in (done, plain))
        for key in ("loss", "grad_norm"):
            self.assertEqual([e[key] for e in seen["logs"]], [e[key] for e in unseen["logs"]])
        self.assertEqual(seen["weights"], unseen["weights"])
        arrays, attributes = self.read()
        self.assertEqual(self.names(arrays), seen["names"])
        self.assertEqual(attributes["total_steps"], 4)
        self.assertEqual(attributes["grad_state"], "pre-clip")
        self.assertNotIn("stopped", attributes)
        norms = [entry["grad_norm"] for entry in seen["logs"]]
        self.assertEqual(len(norms), 4)
        numpy.testing.assert_allclose(self.totals(arrays), norms, rtol=1e-5)
        self.assertGreater(min(norms), 0.01)
        return arrays

    def test_supervised_fine_tuning_of_adapters(self):
        self.assertEqual(len(self.names(self.check(SFT))), 2 * 4 * 2)

    def test_preferences_by_dpo_of_adapters(self):
        self.assertEqual(len(self.names(self.check(DPO))), 2 * 4 * 2)

    def test_group_relative_policies_of_a_whole_model(self):
        arrays = self.check(GRPO)
        self.assertIn("model.embed_tokens.weight", self.names(arrays))
