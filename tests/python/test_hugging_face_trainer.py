"""test_hugging_face_trainer.py - the callback inside real runs of Hugging Face's Trainer.

Skipped where transformers is missing or cannot be imported; PEFT's part where peft is missing.
Models are tiny, with random weights, and the data is made up: nothing is downloaded.
"""

import os
import subprocess
import unittest
import warnings

import gradtrace
import numpy
import torch
from harness import Case, exact_norm

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers
        from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
        from transformers import PrinterCallback, Trainer, TrainingArguments
    transformers.logging.set_verbosity_error()
    ABSENT = None if transformers.is_torch_available() else "transformers refuses this torch"
except Exception as error:  # not there, or something that it imports is not
    ABSENT = f"needs transformers ({type(error).__name__})"

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import peft
except Exception:
    peft = None

HOOK = ABSENT is None and hasattr(transformers.TrainerCallback, "on_pre_optimizer_step")
NO_HOOK = ABSENT or "needs transformers 4.45, whose Trainer calls on_pre_optimizer_step"
N_STEPS = 30
N_TOKENS = 64
OVERFLOW = 20  # the step at which LossScale lets a gradient overflow
LLAMA_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def gpt2():
    torch.manual_seed(0)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 16, "vocab_size": N_TOKENS}
    return GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0))


def llama_with_lora():
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    config = LlamaConfig(**sizes, **heads, vocab_size=N_TOKENS, max_position_embeddings=16)
    lora = peft.LoraConfig(
        r=4, lora_alpha=8, target_modules=list(LLAMA_MODULES), task_type="CAUSAL_LM"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peft.get_peft_model(LlamaForCausalLM(config), lora)


def sentences(n):
    generator = torch.Generator().manual_seed(7)
    rows = torch.randint(N_TOKENS, (n, 8), generator=generator)
    return [{"input_ids": row, "labels": row} for row in rows]


def trainer_run(callbacks, folder, net=None, n_steps=N_STEPS, fp16=False, **settings):
    """Trainer.train() on the CPU; returns what it logged and what gradtrace warned of."""
    settings.setdefault("max_grad_norm", 0)
    new = "use_cpu" in TrainingArguments.__dataclass_fields__
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        args = TrainingArguments(
            output_dir=os.path.join(folder, "trainer"),
            max_steps=n_steps,
            per_device_train_batch_size=4,
            learning_rate=1e-2,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=3,
            **{"use_cpu" if new else "no_cuda": True},
            **settings,
        )
        trainer = Trainer(net or gpt2(), args, train_dataset=sentences(256), callbacks=callbacks)
        trainer.remove_callback(PrinterCallback)  # it prints every log
        if fp16:
            trainer.add_callback(LossScale(trainer))
        trainer.train()
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    said = [str(w.message) for w in caught if "gradtrace" in str(w.message)]
    return logs, said


class Witness(transformers.TrainerCallback if ABSENT is None else object):
    """Norms of each tensor as torch computes them, at the hook that the callback is called at."""

    def __init__(self):
        self.norms = []
        self.rates = []

    def on_pre_optimizer_step(self, args, state, control, model=None, optimizer=None, **kwargs):
        self.norms.append(
            [
                0.0 if p.grad is None else exact_norm([p.grad])
                for p in model.parameters()
                if p.requires_grad
            ]
        )
        self.rates.append(optimizer.param_groups[0]["lr"])


class LossScale(transformers.TrainerCallback if ABSENT is None else object):
    """Gives a Trainer on the CPU the loss scale that fp16=True has on a GPU, and one overflow.

    The arithmetic stays fp32: scaling by a power of two then changes no bit of the gradients.
    """

    def __init__(self, trainer):
        self.trainer = trainer

    def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
        accelerator = self.trainer.accelerator
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        accelerator.native_amp = True
        accelerator.state._mixed_precision = "fp16"
        optimizer.__setstate__({"scaler": accelerator.scaler})

        def overflow(grad):
            return grad * torch.inf if state.global_step == OVERFLOW else grad

        next(model.parameters()).register_hook(overflow)


@unittest.skipUnless(HOOK, NO_HOOK)
class RealTrainer(Case):
    def record(self, **settings):
        """A run that is recorded: logs, warnings, what the witness saw, and the trace."""
        witness = Witness()
        callback = gradtrace.TrainerCallback(self.path())
        logs, said = trainer_run([callback, witness], self.folder, **settings)
        arrays, attributes = self.read()
        return logs, said, witness, arrays, attributes

    def check_norms(self, arrays, witness):
        recorded = numpy.sqrt(arrays["/norm/sumsq"])
        self.assertEqual(recorded.shape, (N_STEPS, len(witness.norms[0])))
        self.assertTrue((recorded.sum(axis=1) > 0).all())
        numpy.testing.assert_allclose(recorded, witness.norms, rtol=1e-13)
        return numpy.sqrt(arrays["/norm/sumsq"].sum(axis=1))

    def test_clipped_norms_are_marked_and_told_of_and_keep_the_limit(self):
        logs, said, witness, arrays, attributes = self.record(max_grad_norm=1.0)
        self.assertEqual(len(said), 1, said)
        self.assertIn("already clipped to 1:", said[0])
        self.assertEqual(attributes["grad_state"], "post-clip")
        total = self.check_norms(arrays, witness)
        before = numpy.array([entry["grad_norm"] for entry in logs])
        self.assertGreater((before > 1.0).sum(), 3)  # so that clipping had something to do
        self.assertLess(total.max(), 1.0 + 1e-6)
        numpy.testing.assert_allclose(total, numpy.minimum(before, 1.0), rtol=1e-5)

    def test_unclipped_norms_are_those_of_the_gradients(self):
        logs, said, witness, arrays, attributes = self.record(max_grad_norm=0)
        self.assertEqual(said, [])
        self.assertEqual(attributes["grad_state"], "pre-clip")
        total = self.check_norms(arrays, witness)
        self.assertGreater(total.max(), 1.0)
        for norm, entry in zip(total, logs):
            if entry.get("grad_norm"):  # transformers 5 logs it without clipping, too
                self.assertLess(abs(norm / entry["grad_norm"] - 1), 1e-5)

    def test_names_steps_rates_and_losses(self):
        logs, _, witness, arrays, attributes = self.record()
        names = [name.decode() for name in arrays["/param/name"]]
        self.assertEqual(names, [name for name, _ in gpt2().named_parameters()])
        self.assertEqual(list(arrays["/step/index"]), list(range(N_STEPS)))
        self.assertEqual(attributes["total_steps"], N_STEPS)
        self.assertEqual(list(arrays["/step/lr"]), witness.rates)
        self.assertTrue(numpy.isnan(arrays["/step/loss"][0]))
        self.assertEqual(list(arrays["/step/loss"][1:]), [entry["loss"] for entry in logs[:-1]])

    def test_accumulated_gradients_are_one_row_for_each_optimizer_step(self):
        _, said, witness, arrays, _ = self.record(gradient_accumulation_steps=2)
        self.assertEqual(said, [])
        self.assertEqual(list(arrays["/step/index"]), list(range(N_STEPS)))
        self.check_norms(arrays, witness)

    def test_the_run_is_the_same_with_and_without_the_callback(self):
        for limit in (0, 1.0):
            plain, _ = trainer_run([], self.folder, max_grad_norm=limit)
            callback = gradtrace.TrainerCallback(self.path(), force=True, elements="full")
            recorded, _ = trainer_run([callback], self.folder, max_grad_norm=limit)
            self.assertEqual(len(plain), N_STEPS)
            self.assertEqual([e["loss"] for e in plain], [e["loss"] for e in recorded])

    @unittest.skipUnless(hasattr(torch.amp, "GradScaler"), "needs a GradScaler for the CPU")
    def test_a_loss_scale_is_divided_out_once_and_skipped_steps_are_marked(self):
        from accelerate.state import AcceleratorState

        self.addCleanup(AcceleratorState._reset_state, True)
        # transformers 5 takes a fused AdamW unless told otherwise, which skips by itself.
        for settings in ({}, {"max_grad_norm": 1.0}, {"optim": "sgd"}):
            plain = gradtrace.TrainerCallback(self.path("plain.h5"), force=True)
            trainer_run([plain], self.folder, **settings)
            scaled = gradtrace.TrainerCallback(self.path("scaled.h5"), force=True)
            trainer_run([scaled], self.folder, fp16=True, **settings)
            AcceleratorState._reset_state(True)
            expected, _ = self.read("plain.h5")
            arrays, _ = self.read("scaled.h5")
            before = slice(0, OVERFLOW)
            numpy.testing.assert_allclose(
                arrays["/norm/sumsq"][before], expected["/norm/sumsq"][before], rtol=1e-5
            )
            self.assertEqual(list(numpy.flatnonzero(arrays["/step/skipped"])), [OVERFLOW])
            self.assertGreater(arrays["/norm/nonfinite"][OVERFLOW].sum(), 0)
            after = numpy.sqrt(arrays["/norm/sumsq"].sum(axis=1))[OVERFLOW + 1 :]
            self.assertGreater(after.min(), 0.1)  # not divided by 512

    @unittest.skipIf(peft is None, "needs peft")
    def test_lora_adapters_are_grouped_by_their_modules(self):
        _, said, witness, arrays, _ = self.record(net=llama_with_lora())
        self.assertEqual(said, [])
        names = [name.decode() for name in arrays["/param/name"]]
        self.assertEqual(len(names), 2 * 2 * len(LLAMA_MODULES))
        self.assertTrue(all("lora_A" in name or "lora_B" in name for name in names), names)
        self.assertEqual((arrays["/norm/sumsq"][0] == 0).sum(), 14)  # B = 0: A has no gradient yet
        self.check_norms(arrays, witness)
        program = os.path.join(os.path.dirname(os.environ["GRADTRACE_LIBRARY"]), "gradtrace")
        if not os.path.isfile(program):
            self.skipTest(f"needs {program}")
        output = subprocess.check_output([program, "info", "--groups", self.path()], text=True)
        rows = [line.split() for line in output.splitlines() if "lora_A" in line]
        self.assertEqual([(row[0], row[1]) for row in rows], [(m, "4") for m in LLAMA_MODULES])
        self.assertIn("7 groups by the rule module", output)


@unittest.skipIf(ABSENT is not None or HOOK, ABSENT or "this Trainer has the hook")
class TrainerWithoutTheHook(Case):
    def test_it_is_told_once_and_the_run_goes_on(self):
        logs, said = trainer_run([gradtrace.TrainerCallback(self.path())], self.folder, n_steps=3)
        self.assertEqual(len(logs), 3)
        self.assertEqual(len(said), 1, said)
        self.assertIn("nothing recorded", said[0])
        self.assertIn("transformers 4.45 or later", said[0])
