/* writers.c - trainers by the names that they give to numbers.
 *
 * What a trainer logs as its norm was read in its source: what clip_grad_norm_ returned, which is
 * the norm before clipping, of the last step of the interval, unless said otherwise.
 */
#define _GNU_SOURCE
#include "writers.h"

#include <fnmatch.h>
#include <string.h>

#include "alloc.h"
#include "logbook.h"

enum { TELLS_MAX = 3 };

static const char pre[] = "pre-clip", last[] = "of the last step of each interval",
                  mean[] = "means over each interval", mini[] = "means over mini-batches";

/* clang-format off */
static const struct writer {
    const char *who;
    const char *format;           /* of the log; NULL: any */
    const char *tells[TELLS_MAX]; /* globs: each matches a name */
    const char *grad_state, *norm_of;
} writers[] = {
    { "Hugging Face Trainer", "trainer_state", { NULL }, pre, last },
    { "Megatron-LM", NULL, { "grad norm", "consumed samples" }, pre, last },
    { "Megatron-LM", NULL, { "grad norm", "lm loss" }, pre, last },
    { "Megatron-LM", NULL, { "grad-norm", "lm loss*" }, pre, last },
    { "Megatron-LM", NULL, { "grad-norm/grad-norm" }, pre, last },
    { "Megatron-LM", NULL, { "grad-norm", "learning-rate" }, pre, last },
    { "nanotron", NULL, { "grad_norm", "consumed_tokens", "lm_loss" }, pre, last },
    { "NeMo", NULL, { "grad_norm", "reduced_train_loss" }, pre, last },
    { "verl", NULL, { "*actor/grad_norm" }, pre, mini },
    { "verl", NULL, { "*critic/grad_norm" }, pre, mini },
    { "torchtitan", "torchtitan", { "grad_norm", "tps" }, pre, last },
    { "torchtitan", NULL, { "grad_norm", "loss_metrics/*" }, pre, last },
    { "OLMo", NULL, { "optim/total?grad?norm" }, pre, last },
    { "llm.c", "llm.c", { "norm" }, pre, last },
    { "fairseq", NULL, { "gnorm", "num_updates" }, pre, mean },
    { "mmengine", "mmengine", { "grad_norm" }, pre, mean },
    { "mmengine", NULL, { "grad_norm", "data_time", "time" }, pre, mean },
    { "Composer", NULL, { "l2_norm/grad/*" }, NULL, last },
    { "Lightning", NULL, { "grad_2.0_norm*" }, NULL, last },
    { "Hugging Face Trainer", NULL, { "grad_norm", "learning_rate", "epoch" }, pre, last },
    { "Hugging Face Trainer", NULL, { "train/grad_norm", "train/learning_rate" }, pre, last },
};

/* Logs that never hold a norm. */
static const struct stranger {
    const char *who;
    const char *tells[TELLS_MAX];
    bool stepless; /* and no name speaks of steps or iterations */
    const char *instead;
} strangers[] = {
    { "LLaMA-Factory's trainer_log.jsonl", { "current_steps", "total_steps" }, false,
      "take trainer_state.json beside it" },
    { "detectron2's metrics.json", { "data_time", "total_loss", "iteration" }, false,
      "no file of detectron2 does; record the run: gradtrace record" },
    { "a log of Keras", { "epoch", "val_*", "loss" }, true,
      "no file of Keras does; its script has to log the norm" },
};
/* clang-format on */

static bool has(const struct gtr_names *seen, const char *glob)
{
    size_t i;

    for (i = 0; i < seen->n_names; i++)
        if (fnmatch(glob, gtr_names_text(seen, (uint32_t)i), 0) == 0)
            return true;
    return false;
}

static bool has_all(const struct gtr_names *seen, const char *const tells[TELLS_MAX])
{
    size_t i;

    for (i = 0; i < TELLS_MAX && tells[i] != NULL; i++)
        if (!has(seen, tells[i]))
            return false;
    return true;
}

void gtr_writers_tell(struct gtr_log *log)
{
    struct gtr_log_summary *summary = &log->summary;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(writers); i++) {
        const struct writer *writer = &writers[i];

        if ((writer->format != NULL && strcmp(writer->format, summary->format) != 0) ||
            !has_all(&log->seen, writer->tells))
            continue;
        summary->writer = writer->who;
        if (summary->grad_state == NULL)
            summary->grad_state = writer->grad_state;
        summary->norm_of = writer->norm_of;
        return;
    }
}

enum gtr_code gtr_writers_refuse(const struct gtr_names *seen, const char *name,
                                 struct gtr_err *err)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(strangers); i++)
        if (has_all(seen, strangers[i].tells) &&
            !(strangers[i].stepless && (has(seen, "*[Ss]tep*") || has(seen, "*[Ii]ter*"))))
            return gtr_fail(err, GTR_EFORMAT, "%s: %s, which holds no gradient norm; %s", name,
                            strangers[i].who, strangers[i].instead);
    return GTR_OK;
}

enum gtr_code gtr_writers_no_norms(const struct gtr_names *seen, const char *name, const char *what,
                                   const char *list, struct gtr_err *err)
{
    enum gtr_code rc = gtr_writers_refuse(seen, name, err);

    if (rc != GTR_OK)
        return rc;
    return gtr_fail(err, GTR_EFORMAT, "%s: no %s of norms among %s; name them: --keys GLOB", name,
                    what, list);
}
