/* test_import_trainers.c - what trainers write, each in the form that its source prints. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "logs.h"

/* Two rows of one series each. */
struct trainer {
    const char *text;
    const char *format, *writer, *series;
    int64_t step[2], total_steps;
    double norm[2], loss; /* of the first row; NaN: the log has none */
};

static void check_trainer(const struct trainer *trainer)
{
    struct gtr_log *log = read_good(trainer->text, NULL);
    const struct gtr_log_summary *summary;
    size_t t;

    if (log == NULL)
        return;
    summary = gtr_log_summary(log);
    CHECK_TEXT(summary->format, trainer->format);
    CHECK_TEXT(summary->writer != NULL ? summary->writer : "", trainer->writer);
    check_names(log, trainer->series);
    CHECK(summary->n_steps == 2 && summary->total_steps == trainer->total_steps);
    for (t = 0; t < 2 && t < summary->n_steps; t++) {
        CHECK(gtr_log_steps(log)[t].index == trainer->step[t]);
        CHECK_BITS(norm_at(log, t, trainer->series), trainer->norm[t]);
    }
    if (!isnan(trainer->loss))
        CHECK_BITS(gtr_log_steps(log)[0].loss, trainer->loss);
    gtr_log_free(log);
}

static const struct trainer trainers[] = {
    { "{\n  \"global_step\": 20,\n  \"log_history\": [\n    {\n      \"epoch\": 0.5,\n"
      "      \"grad_norm\": 1.5,\n      \"loss\": 2.5,\n      \"step\": 10\n    },\n"
      "    {\"eval_loss\": 1, \"step\": 10},\n    {\"grad_norm\": NaN, \"loss\": 2, \"step\": "
      "20},\n"
      "    {\"train_loss\": 9.0, \"train_runtime\": 3, \"step\": 20}\n  ],\n"
      "  \"logging_steps\": 10, \"max_steps\": 90, \"stateful_callbacks\": {\"x\": [{}]}\n}\n",
      "trainer_state",
      "Hugging Face Trainer",
      "grad_norm",
      { 10, 20 },
      90,
      { 1.5, NAN },
      2.5 },
    { "{\"log_history\":[{\"grad_norm\":1.5,\"step\":1},{\"grad_norm\":Infinity,\"step\":2}]}",
      "trainer_state",
      "Hugging Face Trainer",
      "grad_norm",
      { 1, 2 },
      0,
      { 1.5, NAN },
      NAN },
    { "  0%|   | 0/2 [00:00<?, ?it/s]{'loss': 2.5, 'grad_norm': 1.5, 'learning_rate': 1e-05, "
      "'epoch': 0.01}  \n{'eval_loss': 2.0, 'epoch': 0.01}\n"
      "\r 50%|## | 1/2\r   \r{'loss': '2.25', 'grad_norm': '0.5', 'learning_rate': '0', 'x': None, "
      "'epoch': '0.02'}\n{'train_runtime': 1.5, 'train_loss': 2.375, 'epoch': 0.02}\n",
      "trainer",
      "Hugging Face Trainer",
      "grad_norm",
      { 1, 2 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "[Rank 0] (after 20 iterations) memory (MB) | allocated: 23215.08 | reserved: 30772.0\n"
      "7: [2026-01-02 03:04:05] iteration       30/    1000 | consumed samples:          120 | "
      "elapsed time per iteration (ms): 1376.1 | learning rate: 1.500E-04 | lm loss: "
      "2.500000E+00 | loss scale: 16384.0 | grad norm: 1.500 | number of skipped iterations:   1 "
      "|\n"
      "time (ms) | forward-compute: 176.39 | optimizer: 70.79\n"
      " iteration       40/    1000 | consumed samples: 160 | lm loss: 2.0E+00 | grad norm: inf "
      "|\n",
      "megatron",
      "Megatron-LM",
      "grad norm",
      { 30, 40 },
      1000,
      { 1.5, NAN },
      2.5 },
    { "05/16/2026 10:10:10 [INFO|DP=0|PP=0|TP=0|ip-1]: iteration: 1 / 100 | consumed_tokens: 2.1M "
      "| "
      "tokens_per_sec: 17K | lm_loss: 2.5 | lr: 0.0003 | grad_norm: 1.25K\n"
      "05/16/2026 10:10:11 [INFO|DP=0|PP=0|TP=0|ip-1]: iteration: 2 / 100 | consumed_tokens: 4.2M "
      "| "
      "tokens_per_sec: 17K | lm_loss: 2.25 | lr: 0.0003 | grad_norm: 0.5\n",
      "megatron",
      "nanotron",
      "grad_norm",
      { 1, 2 },
      100,
      { 1250.0, 0.5 },
      2.5 },
    { "[rank0]:[titan] 2026-05-18 16:04:46,338 - root - INFO - \x1b[31mstep: 14  \x1b[32mloss:  "
      "2.50000  \x1b[38;2;180;60;0mgrad_norm:  1.5000  \x1b[36mmemory:  9.46GiB(64.99%)  tps: "
      "7,282  mfu: 0.17%\x1b[39m\n"
      "[rank1]:[titan] - INFO - step: 14  loss:  2.50000  grad_norm:  1.5000  tps: 7,281\n"
      "[rank0]:[titan] - INFO - step: 15  loss:  2.25000  grad_norm:  0.5000  tps: 7,281\n",
      "torchtitan",
      "torchtitan",
      "grad_norm",
      { 14, 15 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "(main_task pid=19799) epoch 0, step 383\n"
      "(main_task pid=19799) step:383 - critic/kl:0.759 - actor/pg_loss:0.011 - "
      "actor/grad_norm:1.500 - actor/lr:0.000\n"
      "(main_task pid=19799) step:384 - critic/kl:0.741 - actor/grad_norm:0.500\n",
      "torchtitan",
      "verl",
      "actor/grad_norm",
      { 383, 384 },
      0,
      { 1.5, 0.5 },
      NAN },
    { "s:0 tel:11.0 \ns:10 trl:2.5000 lr:0.000300 norm:1.50\ns:20 trl:2.2500 lr:0.000300 "
      "norm:0.50\n",
      "llm.c",
      "llm.c",
      "norm",
      { 10, 20 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "step   10/18865 | loss 2.500000 (+nanz)| norm 1.5000 (+nanz)| lr 3.00e-04 | 254.89 ms | "
      "57.2% bf16 MFU | 1028 tok/s\n"
      "step   20/18865 | loss 2.250000 (-1.25z)| norm 0.5000 (+0.10z)| lr 3.00e-04 | 254.89 ms\n",
      "llm.c",
      "llm.c",
      "norm",
      { 10, 20 },
      18865,
      { 1.5, 0.5 },
      2.5 },
    { "2026-01-02 03:04:05 | INFO | train_inner | epoch 001:    100 / 1000 loss=2.5, ppl=5.66, "
      "wps=1000, num_updates=100, lr=1e-05, gnorm=1.5, clip=10, train_wall=3, wall=9\n"
      "2026-01-02 03:04:06 | INFO | train | epoch 001 | loss 2 | num_updates 1000 | gnorm 9\n"
      "2026-01-02 03:04:06 | INFO | train_inner | epoch 002:    200 / 1000 loss=2.25, "
      "num_updates=200, lr=1e-05, gnorm=0.5, clip=10\n",
      "fairseq",
      "fairseq",
      "gnorm",
      { 100, 200 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "2026-01-02 | INFO | train_inner | {\"epoch\": 1, \"update\": 0.1, \"loss\": \"2.5\", "
      "\"num_updates\": \"100\", \"lr\": \"1e-05\", \"gnorm\": \"1.5\", \"clip\": \"10\"}\n"
      "2026-01-02 | INFO | train | {\"epoch\": 1, \"train_loss\": \"9\", \"train_num_updates\": "
      "\"150\", \"train_gnorm\": \"9\"}\n"
      "2026-01-02 | INFO | train_inner | {\"epoch\": 1, \"update\": 0.2, \"loss\": \"2.25\", "
      "\"num_updates\": \"200\", \"lr\": \"1e-05\", \"gnorm\": \"0.5\", \"clip\": \"10\"}\n",
      "trainer",
      "fairseq",
      "gnorm",
      { 100, 200 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "2026-01-02 - mmdet - INFO - Epoch [1][50/100]\tlr: 1.978e-03, eta: 1:02:03, time: 0.2, "
      "data_time: 0.1, memory: 5000, loss_cls: 2.0, loss: 2.5, grad_norm: 1.5\n"
      "2026-01-02 - mmdet - INFO - Epoch(val) [1][625]\tbbox_mAP: 0.5\n"
      "2026-01-02 - mmdet - INFO - Epoch [2][50/100]\tlr: 1.978e-03, loss: 2.25, grad_norm: 0.5\n",
      "mmengine",
      "mmengine",
      "grad_norm",
      { 50, 150 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "01/02 03:04:05 - mmengine - INFO - Epoch(train)  [1][ 50/100]  lr: 1.0e-03  eta: 1:02:03  "
      "time: 0.2  data_time: 0.1  memory: 5000  grad_norm: 1.5  loss: 2.5  loss_cls: 2.0\n"
      "01/02 03:04:06 - mmengine - INFO - Epoch(train) [12][ 50/100]  lr: 1.0e-03  grad_norm: "
      "0.5\n",
      "mmengine",
      "mmengine",
      "grad_norm",
      { 50, 1150 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "{\"lr\": 0.02, \"data_time\": 0.1, \"grad_norm\": 1.5, \"loss\": 2.5, \"time\": 0.2, "
      "\"epoch\": 1, \"iter\": 50, \"memory\": 5000, \"step\": 50}\n"
      "{\"coco/bbox_mAP\": 0.5, \"data_time\": 0.1, \"time\": 0.2, \"step\": 1}\n"
      "{\"lr\": 0.02, \"data_time\": 0.1, \"grad_norm\": 0.5, \"loss\": 2.25, \"time\": 0.2, "
      "\"epoch\": 2, \"iter\": 100, \"memory\": 5000, \"step\": 100}\n",
      "jsonl",
      "mmengine",
      "grad_norm",
      { 50, 100 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "{\"env_info\": \"Python 3\", \"seed\": 0}\n"
      "{\"mode\": \"train\", \"epoch\": 1, \"iter\": 50, \"lr\": 0.02, \"data_time\": 0.1, "
      "\"loss\": 2.5, \"grad_norm\": 1.5, \"time\": 0.2}\n"
      "{\"mode\": \"val\", \"epoch\": 1, \"iter\": 625, \"lr\": 0.02, \"bbox_mAP\": 0.5}\n"
      "{\"mode\": \"train\", \"epoch\": 2, \"iter\": 50, \"lr\": 0.02, \"data_time\": 0.1, "
      "\"loss\": 2.25, \"grad_norm\": 0.5, \"time\": 0.2}\n",
      "jsonl",
      "mmengine",
      "grad_norm",
      { 50, 100 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "2026-01-02 03:04:05.678 host:0 olmo.train:850 INFO [step=10/1000,epoch=0]\n"
      "    train/CrossEntropyLoss=2.500\n    train/Perplexity=1,231\n"
      "    optim/total_grad_norm=1,231.5\n"
      "2026-01-02 03:04:06.678 host:0 olmo.train:850 INFO [step=20/1000,epoch=0]\n"
      "    train/CrossEntropyLoss=2.250\n    optim/total_grad_norm=0.5000\n",
      "olmo",
      "OLMo",
      "optim/total_grad_norm",
      { 10, 20 },
      1000,
      { 1231.5, 0.5 },
      2.5 },
    { "2026-01-02 host:0 olmo_core.train.callbacks.console_logger:62 INFO "
      "[step=10/\?\?\?,epoch=1,eta=1h]\n    train/CE loss=2.500\n    optim/LR (group 0)=0.0003\n"
      "    optim/total grad norm=1.500\n"
      "2026-01-02 host:0 olmo_core INFO [step=20/\?\?\?,epoch=1]\n    optim/total grad "
      "norm=0.5000\n",
      "olmo",
      "OLMo",
      "optim/total grad norm",
      { 10, 20 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "[epoch=1][batch=1/10]:\n\t Train loss/train/total: 2.5000\n"
      "\t Train l2_norm/grad/global: 1.5000\n"
      "[epoch=2][batch=1/10]:\n\t Train loss/train/total: 2.2500\n"
      "\t Train l2_norm/grad/global: 0.5000\n",
      "composer",
      "Composer",
      "l2_norm/grad/global",
      { 1, 2 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "[hyperparameter]: num_nodes: 1 \n[metric][batch=0]: loss/train/total: 2.5 \n"
      "[metric][batch=0]: l2_norm/grad/global: 1.5 \n[metric][batch=1]: l2_norm/grad/global: 0.5 "
      "\n",
      "composer",
      "Composer",
      "l2_norm/grad/global",
      { 0, 1 },
      0,
      { 1.5, 0.5 },
      2.5 },
    { "epoch,grad_2.0_norm_total,step,train_loss_epoch,train_loss_step\n0,1.5,9,,\n0,,9,,2.5\n"
      "0,,9,2.7,\n1,0.5,19,,\n",
      "csv",
      "Lightning",
      "grad_2.0_norm_total",
      { 9, 19 },
      0,
      { 1.5, 0.5 },
      2.5 },
};

static void every_trainer_is_known_by_what_it_writes(void)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(trainers); i++)
        check_trainer(&trainers[i]);
}

/* What makes a line one of a trainer's must not make it one of a table's. */
static void a_table_with_words_of_consoles_is_a_table(void)
{
    struct gtr_log *log = read_good("step,note,grad_norm\n1,step: 7  grad_norm: 9 ok,0.5\n"
                                    "2,\" iteration 9/ 10 | grad norm: 3 |\",0.25\n",
                                    NULL);

    if (log != NULL) {
        CHECK_TEXT(gtr_log_summary(log)->format, "csv");
        CHECK_BITS(norm_at(log, 1, "grad_norm"), 0.25);
    }
    gtr_log_free(log);
}

static void a_pattern_reads_what_no_format_knows(void)
{
    const struct gtr_log_options options = { .pattern =
                                                 "it {step} of {total}: {} L={loss} g {norm}" };
    const struct gtr_log_options parts = { .pattern = "{step}> {norm/enc} {norm/dec}" };
    struct gtr_log *log = read_good("start\n10:04 it 3  of 90: L=x L=2.5 g 1.5 ok\n"
                                    "it 4 of 90: fast, L=2 g\t0.5\nit 5 of 90: L=nothing\n",
                                    &options);

    if (log != NULL) {
        CHECK(gtr_log_summary(log)->n_steps == 2 && gtr_log_summary(log)->total_steps == 90);
        CHECK(gtr_log_steps(log)[0].index == 3);
        CHECK_BITS(gtr_log_steps(log)[0].loss, 2.5);
        CHECK_BITS(norm_at(log, 0, "norm"), 1.5);
        CHECK_BITS(norm_at(log, 1, "norm"), 0.5);
    }
    gtr_log_free(log);
    log = read_good("7> 3 4\n8> 1,000.5 2K\n", &parts);
    if (log != NULL) {
        check_names(log, "enc dec");
        CHECK_BITS(norm_at(log, 1, "enc"), 1000.5);
        CHECK_BITS(norm_at(log, 1, "dec"), 2000.0);
    }
    gtr_log_free(log);
}

static void rows_without_steps_are_numbered_when_asked(void)
{
    const struct gtr_log_options every = { .every = 5 };
    static const char *const texts[] = {
        "{\"grad_norm\":1.5}\n{\"acc\":1}\n{\"grad_norm\":0.5}\n",
        "loss,grad_norm\n2,1.5\n3,\n4,0.5\n",
        "{'loss': 2, 'grad_norm': 1.5}\n{'eval_loss': 2}\n{'loss': 2, 'grad_norm': 0.5}\n",
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(texts); i++) {
        struct gtr_log *log = read_good(texts[i], &every);

        if (log != NULL && gtr_log_summary(log)->n_steps == 2) {
            CHECK(gtr_log_steps(log)[0].index == 5 && gtr_log_steps(log)[1].index == 10);
            CHECK_BITS(norm_at(log, 1, "grad_norm"), 0.5);
        } else {
            CHECK(log == NULL);
        }
        gtr_log_free(log);
    }
}

int main(void)
{
    RUN(every_trainer_is_known_by_what_it_writes);
    RUN(a_table_with_words_of_consoles_is_a_table);
    RUN(a_pattern_reads_what_no_format_knows);
    RUN(rows_without_steps_are_numbered_when_asked);
    return check_report();
}
