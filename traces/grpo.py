r"""grpo.py - a small Qwen2 that learns to multiply from rewards for right answers alone (GRPO).

    python3 traces/grpo.py start build/grpo-start
    gradtrace record -o traces/grpo.h5 --elements blocks:1/16 --first 540 --last 569 -- \
        python3 traces/grpo.py train build/grpo-start

from the top of the source tree; needs torch, transformers and TRL (PyPI).  Some ten minutes of one
core.  `start` teaches a Qwen2 of three layers from scratch, by examples, to write a number of the
right form after "a*b=" and to be right now and then; it leaves the model and a tokenizer of
fourteen words in the folder.  `train` goes on with TRL's GRPOTrainer: for each question several
answers are drawn, a right one is worth 1 and any other 0.  Nothing in it knows of gradtrace, and
nothing is injected.
"""

import argparse
import os
import random

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed
from trl import GRPOConfig, GRPOTrainer

WORDS = ["<pad>", "<end>", *"0123456789*="]
MODEL = {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 3}
START = {"steps": 500, "rows": 64, "lr": 2e-3, "seed": 1}
TRAIN = {"steps": 1200, "questions": 16, "answers": 16, "lr": 5e-4, "seed": 2}


def tokenizer():
    """One token a character."""
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "<pad>"))
    words.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<end>", padding_side="left"
    )


def question(dice):
    """Two factors of 2 to 29, and their product."""
    a, b = dice.randint(2, 29), dice.randint(2, 29)
    return f"{a}*{b}=", str(a * b)


def start(folder):
    """Teach the form of an answer, and some of the truth, by examples."""
    set_seed(START["seed"])
    dice = random.Random(START["seed"])
    words = tokenizer()
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(WORDS),
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=32,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=1,
            pad_token_id=0,
            **MODEL,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=START["lr"])
    for step in range(START["steps"]):
        texts = ["".join(question(dice)) + "<end>" for _ in range(START["rows"])]
        batch = words(texts, return_tensors="pt", padding=True)
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        loss = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels
        ).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1:4}  loss {loss.item():.3f}", flush=True)
    model.save_pretrained(folder)
    words.save_pretrained(folder)


def right(completions, answer, **_):
    """1 for the product and nothing else, 0 for all else."""
    return [float(text == truth) for text, truth in zip(completions, answer)]


def train(folder):
    """Go on by rewards: TRL's loop, its defaults but for what is named here."""
    dice = random.Random(TRAIN["seed"])
    rows = [question(dice) for _ in range(TRAIN["steps"] * TRAIN["questions"])]
    questions = Dataset.from_dict(
        {"prompt": [row[0] for row in rows], "answer": [row[1] for row in rows]}
    )
    GRPOTrainer(
        model=folder,
        reward_funcs=right,
        train_dataset=questions,
        args=GRPOConfig(
            output_dir=os.path.join(folder, "grpo"),
            seed=TRAIN["seed"],
            max_steps=TRAIN["steps"],
            per_device_train_batch_size=TRAIN["questions"] * TRAIN["answers"],
            num_generations=TRAIN["answers"],
            max_completion_length=4,
            max_grad_norm=0.0,
            learning_rate=TRAIN["lr"],
            lr_scheduler_type="constant_with_warmup",
            warmup_steps=20,
            logging_steps=20,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
        ),
    ).train()


def main():
    parser = argparse.ArgumentParser(description="A small Qwen2 learns to multiply, by GRPO.")
    parser.add_argument("what", choices=["start", "train"])
    parser.add_argument("folder", help="where the model of the start is")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    {"start": start, "train": train}[arguments.what](arguments.folder)


if __name__ == "__main__":
    main()
