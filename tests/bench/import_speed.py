#!/usr/bin/env python3
"""import_speed.py - logs of a million rows: seconds and memory of `gradtrace import`.

    GRADTRACE=build/gradtrace tests/bench/import_speed.py [ROWS [FORMAT...]]

Writes each log into a scratch folder, imports it, and prints the processor's seconds, those of the
clock, the peak of memory and the log's size.  Nothing here is a test: times depend on the machine.
"""

import os
import shutil
import struct
import sys
import tempfile
import time

PROGRAM = os.environ.get("GRADTRACE", "build/gradtrace")


def norm(t):
    return 1 + t % 977 / 977


def crc32c_table():
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = crc32c_table()


def masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF)


def event(step, tag, value):
    varint = b""
    while step > 127:
        varint += bytes([step & 127 | 128])
        step >>= 7
    scalar = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(scalar)]) + scalar
    data = b"\x09" + struct.pack("<d", 1e9) + b"\x10" + varint + bytes([step])
    data += b"\x2a" + bytes([len(summary)]) + summary
    head = struct.pack("<Q", len(data))
    return head + masked(head) + data + masked(data)


def state(rows):
    yield '{\n  "epoch": 1.0,\n  "log_history": [\n'
    for t in range(1, rows + 1):
        yield (
            f'    {{\n      "epoch": {t / rows},\n      "grad_norm": {norm(t)},\n'
            f'      "learning_rate": 1e-05,\n      "loss": 2.5,\n      "step": {t}\n    }}'
            + (",\n" if t < rows else "\n")
        )
    yield '  ],\n  "max_steps": 9\n}\n'


def lines(form):
    return lambda rows: (form(t, norm(t)) for t in range(1, rows + 1))


FORMATS = {
    "csv": lambda rows: (
        "step,loss,grad_norm\n" if t == 0 else f"{t},2.5,{norm(t)}\n" for t in range(rows + 1)
    ),
    "jsonl": lines(lambda t, n: f'{{"step": {t}, "loss": 2.5, "lr": 1e-05, "grad_norm": {n}}}\n'),
    "trainer_state": state,
    "trainer": lines(
        lambda t, n: f"{{'loss': 2.5, 'grad_norm': {n}, 'learning_rate': 1e-05, 'epoch': 0.5}}\n"
    ),
    "megatron": lines(
        lambda t, n: f" iteration {t:8d}/ 1000000 | consumed samples: {t:12d} | elapsed time per "
        f"iteration (ms): 1376.1 | learning rate: 1.500E-04 | global batch size:     4 | lm loss: "
        f"2.247505E+01 | loss scale: 16384.0 | grad norm: {n:.3f} | number of skipped iterations: "
        "  0 | number of nan iterations:   0 |\n"
    ),
    "torchtitan": lines(
        lambda t, n: f"[rank0]:[titan] 2026-05-18 16:04:46,338 - root - INFO - step: {t:2}  loss:  "
        f"3.24405  grad_norm: {n:7.4f}  memory:  9.46GiB(64.99%)  tps: 7,282  mfu: 0.17%\n"
    ),
    "verl": lines(
        lambda t, n: f"step:{t} - actor/entropy:0.5 - actor/pg_loss:0.01 - actor/grad_norm:{n:.3f}"
        " - actor/lr:0.000 - critic/score/mean:0.1\n"
    ),
    "llm.c": lines(lambda t, n: f"s:{t} trl:3.2440 lr:0.000300 norm:{n:.2f}\n"),
    "fairseq": lines(
        lambda t, n: f"2026 | INFO | train_inner | epoch 001: {t:6d} / 1000000 loss=2.5, ppl=5.66, "
        f"num_updates={t}, lr=1e-05, gnorm={n:.3f}, clip=10\n"
    ),
    "mmengine": lines(
        lambda t, n: f"01/02 03:04:05 - mmengine - INFO - Iter(train) [{t:6d}/1000000]  lr: 1.0e-03"
        f"  time: 0.2  data_time: 0.1  grad_norm: {n:.4f}  loss: 2.5\n"
    ),
    "olmo": lines(
        lambda t, n: f"2026 INFO [step={t}/1000000,epoch=0]\n    train/CrossEntropyLoss=2.500\n"
        f"    optim/total_grad_norm={n:.4f}\n"
    ),
    "composer": lines(
        lambda t, n: f"[metric][batch={t}]: l2_norm/grad/global: {n:.4f} \n"
    ),
    "pattern": lines(lambda t, n: f"up {t}: cost 2.5, |g| = {n:.4f} (fine)\n"),
    "tfevents": lambda rows: (
        event(t, tag, value)
        for t in range(1, rows + 1)
        for tag, value in ((b"train/grad_norm", norm(t)), (b"train/loss", 2.5))
    ),
}


def timed(command):
    """Runs it in a child; seconds of the clock, of the processor, and MiB at the peak."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.execvp(command[0], command)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return (
        time.monotonic() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
    )


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    folder = tempfile.mkdtemp(prefix="gradtrace-bench-")
    print(f"{rows} rows   seconds  processor   MiB   log MiB")
    for name in sys.argv[2:] or FORMATS:
        path = os.path.join(folder, "log")
        with open(path, "wb") as file:
            for piece in FORMATS[name](rows):
                file.write(piece if isinstance(piece, bytes) else piece.encode())
        command = [PROGRAM, "import", path, "-o", path + ".h5", "--force"]
        if name == "pattern":
            command += ["--pattern", "up {step}: cost {loss}, |g| = {norm}"]
        if name == "verl":
            command += ["--keys", "*actor/grad_norm"]
        seconds, processor, memory = timed(command)
        size = os.path.getsize(path) / 2**20
        print(f"{name:14} {seconds:9.2f} {processor:10.2f} {memory:5.0f} {size:9.0f}", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
