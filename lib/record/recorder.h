/* recorder.h - record gradients from inside a training loop.
 *
 *     struct gtr_err err = { 0 };
 *     struct gtr_record_options options;
 *     struct gtr_recorder *r;
 *
 *     gtr_record_options_init(&options);
 *     gtr_recorder_open("run.h5", &options, &r, &err);
 *     for each parameter:  gtr_recorder_tensor(r, "layers.0.q_proj.weight", "64x64", 4096,
 *                                              GTR_F32, &err);
 *     for each step, after backward and before clipping:
 *         gtr_recorder_begin(r, step, loss, lr, &err);
 *         for each parameter i:  gtr_recorder_grad(r, i, grad[i], &err);
 *         gtr_recorder_end(r, &err);
 *         (clip, then, if known:)  gtr_recorder_applied(r, scale, skipped, &err);
 *     gtr_recorder_close(r, &err);
 *
 * Gradients are read during gtr_recorder_grad and not touched after it returns, whatever thread
 * writes them to disk later.  Nothing here is shared between recorders; one recorder is used by
 * one thread at a time.
 *
 * Failures return a code and leave the training loop's data alone.  After a write has failed the
 * recorder stays in that state: later calls return the same code and do nothing.
 */
#ifndef GTR_RECORDER_H
#define GTR_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

struct gtr_recorder;

enum gtr_elements {
    GTR_ELEMENTS_NONE = 0,
    GTR_ELEMENTS_FULL = 1,  /* all elements of every tensor, at the steps chosen below */
    GTR_ELEMENTS_BLOCKS = 2 /* a sample of every tensor, the same at each of these steps */
};

/* Plain values, so that other languages can fill it.  Pointers are read during open only. */
struct gtr_record_options {
    const char *producer;   /* NULL: "gradtrace VERSION" */
    const char *reduction;  /* none | sum | mean */
    const char *grad_state; /* pre-clip | post-clip | unknown */
    const char *meta;       /* a JSON object, or NULL */
    const char *group_by;   /* rule that fits this model, or NULL */
    const char *created;    /* ISO 8601; NULL: the time of opening; "": left out, so that equal
                             * runs can give equal bytes */
    int64_t rank;
    int64_t world_size;
    int64_t total_steps;    /* planned steps; 0 if unknown */
    int64_t elements;       /* enum gtr_elements */
    int64_t every;          /* elements at first, first + every, first + 2 every, ... >= 1 */
    int64_t first;          /* the window of run steps: first <= step <= last */
    int64_t last;
    double fraction;        /* of a tensor's blocks that a sample keeps, in (0, 1]; see sample.h */
    int64_t seed;           /* of the sample */
    int64_t force;          /* 1: replace an existing file */
    int64_t n_threads;      /* for the sums, at most 256; 0: all processors */
};

/* Norms only; nothing known about the run; window 0 and up. */
void gtr_record_options_init(struct gtr_record_options *options);

/* Checks the options and that `path` can be written; the file itself is made by the first step.
 * Free with gtr_recorder_close. */
enum gtr_code gtr_recorder_open(const char *path, const struct gtr_record_options *options,
                                struct gtr_recorder **recorder, struct gtr_err *err);

/* Declares the next tensor, before the first step.  Tensors are numbered 0, 1, ...  `shape` is
 * "4096x11008", "" for a scalar, and has numel elements. */
enum gtr_code gtr_recorder_tensor(struct gtr_recorder *recorder, const char *name,
                                  const char *shape, uint64_t numel, enum gtr_dtype dtype,
                                  struct gtr_err *err);

/* Tells the optimizer's parameter group of the tensor declared last, for --group-by param-group. */
enum gtr_code gtr_recorder_param_group(struct gtr_recorder *recorder, const char *name,
                                       struct gtr_err *err);

/* Starts a step.  `step` is the run's own number and must grow.  NaN for what is not known. */
enum gtr_code gtr_recorder_begin(struct gtr_recorder *recorder, int64_t step, double loss,
                                 double lr, struct gtr_err *err);

/* The gradient of tensor i: numel contiguous elements of its dtype in host memory (f16 and bf16 as
 * uint16_t).  A tensor not given in a step has no gradient there: norm 0. */
enum gtr_code gtr_recorder_grad(struct gtr_recorder *recorder, size_t tensor, const void *elements,
                                struct gtr_err *err);

/* The same when the caller has reduced the gradient already (on a GPU, over ranks), over its finite
 * elements.  Not at a step whose elements are kept. */
enum gtr_code gtr_recorder_norm(struct gtr_recorder *recorder, size_t tensor, double sumsq,
                                float maxabs, uint64_t nonfinite, struct gtr_err *err);

/* Completes the step. */
enum gtr_code gtr_recorder_end(struct gtr_recorder *recorder, struct gtr_err *err);

/* What the run then did with the last completed step, before the next one begins. */
enum gtr_code gtr_recorder_applied(struct gtr_recorder *recorder, double scale, bool skipped,
                                   struct gtr_err *err);

/* Completes the file and frees the recorder, whatever is returned.  A step that was not ended is
 * left out.  A recorder without a completed step leaves no file and says so.  After a failed write
 * that failure is told once more, and the file keeps the steps before it if it can be written at
 * all. */
enum gtr_code gtr_recorder_close(struct gtr_recorder *recorder, struct gtr_err *err);

/* Frees the recorder and leaves no file. */
void gtr_recorder_abandon(struct gtr_recorder *recorder);

GTR_PUBLIC_END

#endif
