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
 * Gradients are read during gtr_recorder_grad and not touched after it returns.  The calling thread
 * sums and copies; a thread of the recorder compresses and writes, behind a queue of bounded size:
 *
 *     loop    sums ---> row of norms ------------> queue ---> writer   file
 *             copy ---> slot for a step's elements /
 *
 * Nothing here is shared between recorders; one recorder is used by one thread at a time.
 *
 * Failures return a code and leave the training loop's data alone.  After a write has failed the
 * recorder stays in that state: the calls after it return the same code and do nothing, nothing
 * waits any more, and the trace says where it can that it stopped, and why.  A process made by
 * fork() has no writer: there all calls do nothing, return GTR_OK and leave the file to the parent.
 *
 * With `around_spikes` = W the queue is a flight recorder: elements wait in it, and only those of
 * the W captures before a spike, of the spike itself and of the W captures after it are written.
 * (A capture is a step that `every`, `first` and `last` choose; "before" reaches back W * every
 * steps at most.)  Windows that overlap merge.  A step is a spike if
 *
 *     its global norm n > spike_kappa * m, m the causal average of base/follower.h, or
 *     any of its elements is not finite, or
 *     the run told gtr_recorder_applied a scale < spike_scale, or
 *     spike_policy, run on the norms as they come, would scale some group by less than that.
 *
 * A process that is killed loses the elements that wait.  The norms of its completed steps are safe
 * if the path is a folder of segments: they go into its journal, by the calling thread, as the step
 * ends.  A file is such a folder, NAME.h5.gtr, until it is closed, and is all the same to a kill.
 *
 * Where the disk has no room for elements, norms go on as long as they fit.
 */
#ifndef GTR_RECORDER_H
#define GTR_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sumsq.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

struct gtr_recorder;

enum gtr_elements {
    GTR_ELEMENTS_NONE = 0,
    GTR_ELEMENTS_FULL = 1,  /* all elements of every tensor, at the steps chosen below */
    GTR_ELEMENTS_BLOCKS = 2 /* a sample of every tensor, the same at each of these steps */
};

/* What happens at a capture for which the queue has no room. */
enum gtr_when_full {
    GTR_FULL_BLOCK = 0, /* the training thread waits */
    GTR_FULL_DROP = 1   /* its elements are left out and counted; its norms are kept in any case */
};

/* Plain values, so that other languages can fill it.  Pointers are read during open only. */
struct gtr_record_options {
    size_t size;            /* set by _init */
    const char *producer;   /* NULL: "gradtrace VERSION" */
    const char *reduction;  /* none | sum | mean */
    const char *grad_state; /* pre-clip | post-clip | unknown */
    const char *meta;       /* a JSON object, or NULL */
    const char *group_by;   /* rule that fits this model, or NULL */
    const char *created;    /* ISO 8601; NULL: the time of opening; "": left out, so that equal
                             * runs can give equal bytes */
    int64_t rank;
    int64_t world_size;
    int64_t total_steps; /* planned steps; 0 if unknown */
    int64_t elements;    /* enum gtr_elements */
    int64_t every;       /* elements at first, first + every, first + 2 every, ... >= 1 */
    int64_t first;       /* the window of run steps: first <= step <= last */
    int64_t last;
    double fraction;       /* of a tensor's blocks that a sample keeps, in (0, 1]; see sample.h */
    int64_t seed;          /* of the sample */
    int64_t force;         /* 1: replace an existing file */
    int64_t n_threads;     /* for the sums, at most 256; 0: all processors */
    int64_t queue_bytes;   /* most memory for elements that wait; 0: GTR_QUEUE_BYTES */
    int64_t when_full;     /* enum gtr_when_full */
    int64_t around_spikes; /* W; 0: every capture is written */
    double spike_kappa;    /* 3 */
    double spike_decay;    /* of the average, 0.98 */
    int64_t spike_warmup;  /* norms before the first spike, 10 */
    double spike_scale;    /* 0: no scale is a sign */
    const char *spike_policy; /* NULL, or a policy as after -p whose scales are signs, too */
    int64_t synchronous;      /* 1: no thread, each call does its own writing */
    int64_t compression;      /* of elements, as the rest struct gtr_writer_options has them */
    int64_t writer_threads;   /* that deflate them; 0: half the processors, at most 4 */
    int64_t checksums;
    int64_t segment_bytes; /* of a folder of segments: a path that ends in .gtr */
    double segment_seconds;
    int64_t sync;
};

enum { GTR_QUEUE_BYTES = 256 << 20 };

/* Norms only; nothing known about the run; window 0 and up. */
void gtr_record_options_init(struct gtr_record_options *options, size_t size);
#define gtr_record_options_init(options) gtr_record_options_init((options), sizeof *(options))

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

/* The same for a row that is told later than it was made: `time` is when, in seconds of the
 * system's CLOCK_MONOTONIC.  gtr_recorder_begin takes the time at which it is called. */
enum gtr_code gtr_recorder_begin_at(struct gtr_recorder *recorder, int64_t step, double loss,
                                    double lr, double time, struct gtr_err *err);

/* Within a step: what the whole gradient has beyond the tensors that were declared, such as
 * parameters that came later, as a sum of squares.  The global norm of the row counts it, no
 * tensor's and no group's does.  Once a step; without it, 0. */
enum gtr_code gtr_recorder_rest(struct gtr_recorder *recorder, double sumsq, struct gtr_err *err);

/* The gradient of tensor i: numel contiguous elements of its dtype in host memory (f16 and bf16 as
 * uint16_t).  A tensor not given in a step has no gradient there: norm 0. */
enum gtr_code gtr_recorder_grad(struct gtr_recorder *recorder, size_t tensor, const void *elements,
                                struct gtr_err *err);

/* The same when the caller has reduced the gradient already (on a GPU, over ranks), over its finite
 * elements.  Not at a step whose elements are kept. */
enum gtr_code gtr_recorder_norm(struct gtr_recorder *recorder, size_t tensor, double sumsq,
                                float maxabs, uint64_t nonfinite, struct gtr_err *err);

/* Are elements kept at this step of the run? */
bool gtr_recorder_captures(const struct gtr_recorder *recorder, int64_t step);

/* Several tensors that the caller has reduced already: sums[k] is of tensor tensors[k].  At a step
 * whose elements are kept, kept[k] points to what a trace keeps of that tensor, in host memory: all
 * of it, or of a sample its blocks one behind the other (sample.h says which).  At other steps
 * `kept` is not looked at. */
enum gtr_code gtr_recorder_reduced(struct gtr_recorder *recorder, size_t n, const size_t *tensors,
                                   const struct gtr_reduction *sums, const void *const *kept,
                                   struct gtr_err *err);

/* gtr_recorder_grad for all tensors at once: elements[i] of tensor i, NULL for one that has no
 * gradient or is given by another call. */
enum gtr_code gtr_recorder_grads(struct gtr_recorder *recorder, const void *const *elements,
                                 struct gtr_err *err);

/* Completes the step. */
enum gtr_code gtr_recorder_end(struct gtr_recorder *recorder, struct gtr_err *err);

/* What the run then did with the last completed step: once, before the next one begins. */
enum gtr_code gtr_recorder_applied(struct gtr_recorder *recorder, double scale, bool skipped,
                                   struct gtr_err *err);

/* --- what becomes known later -------------------------------------------------------------------
 *
 * At any time from open to close, as often as there is news: the trace says what was told last.  In
 * a folder it does so at once, whatever ends the process. */

/* pre-clip | post-clip | unknown */
enum gtr_code gtr_recorder_set_grad_state(struct gtr_recorder *recorder, const char *grad_state,
                                          struct gtr_err *err);

/* The planned length of the run, in rows; 0: unknown. */
enum gtr_code gtr_recorder_set_total_steps(struct gtr_recorder *recorder, int64_t total_steps,
                                           struct gtr_err *err);

/* The run has come to its end by itself.  If nobody has told its length, the rows that were
 * completed are taken for it, and the trace says so: head.total_steps_from is "rows". */
enum gtr_code gtr_recorder_run_ended(struct gtr_recorder *recorder, struct gtr_err *err);

/* --- what it takes --------------------------------------------------------------------------- */

struct gtr_record_progress {
    uint64_t steps; /* completed by the loop */
    uint64_t steps_written;
    uint64_t captures_written;
    uint64_t dropped;       /* captures whose elements were left out: no room in the queue */
    uint64_t spikes;        /* steps that started or prolonged a window */
    uint64_t bytes_written; /* given to the writer, before compression */
    uint64_t bytes_queued;  /* elements that wait in memory */
    uint64_t memory_bytes;  /* of the queue, at most */
    double seconds_waited;  /* the training thread, for the writer */
};

/* Cheap; at any time. */
void gtr_recorder_progress(struct gtr_recorder *recorder, struct gtr_record_progress *progress);

/* Why elements are written no more, though norms are: the disk has no room for them.  "" while they
 * are.  The text is the recorder's, until it is closed. */
const char *gtr_recorder_elements_stopped(struct gtr_recorder *recorder);

struct gtr_record_estimate {
    uint64_t row_bytes;     /* norms of a step */
    uint64_t capture_bytes; /* elements of a capture, before compression: f32 shrinks by a sixth */
    uint64_t spike_bytes;   /* elements that one spike adds, at most; 0 without around_spikes */
    double step_bytes;      /* of an average step: a row and, without around_spikes, its share of a
                             * capture */
    double run_bytes;       /* of total_steps, which are counted from 0; 0 if unknown */
    uint64_t free_bytes;    /* on the disk of the trace; 0 if unknown */
};

/* What a run will write, once its tensors are declared, and what its disk has left. */
enum gtr_code gtr_recorder_estimate(const struct gtr_recorder *recorder,
                                    struct gtr_record_estimate *estimate, struct gtr_err *err);

/* What a person should be told before the run goes on, "" if nothing: the disk is too small for it,
 * a window was made shorter to fit the queue.  Complete after the first gtr_recorder_begin. */
const char *gtr_recorder_warning(const struct gtr_recorder *recorder);

/* --- the end ---------------------------------------------------------------------------------- */

/* Waits until the queue is written, completes the file and frees the recorder, whatever is
 * returned.  A step that was not ended is left out.  A recorder without a completed step leaves no
 * file and says so.  After a failed write that failure is told once more.  No completed step is
 * lost: where the file cannot be completed, its norms are in the folder PATH.gtr. */
enum gtr_code gtr_recorder_close(struct gtr_recorder *recorder, struct gtr_err *err);

/* What is left of a recording. */
struct gtr_record_kept {
    uint64_t steps; /* in the trace, by its name */
    char rest[400]; /* what went wrong when it was closed, and where the other steps are; "" */
};

/* The same, and says what is left. */
enum gtr_code gtr_recorder_close_kept(struct gtr_recorder *recorder, struct gtr_record_kept *kept,
                                      struct gtr_err *err);

/* Ends the recording though the run goes on, for a reason that the library does not see: the trace
 * will say why, and calls that record do nothing and return GTR_EUSAGE.  What waits is written. */
void gtr_recorder_stop(struct gtr_recorder *recorder, const char *why);

/* Frees the recorder and leaves no file. */
void gtr_recorder_abandon(struct gtr_recorder *recorder);

GTR_PUBLIC_END

/* gtr_recorder_estimate from its options and tensors (numel and dtype; names if sampled). */
enum gtr_code gtr_record_estimate(const struct gtr_record_options *options,
                                  const struct gtr_tensor *tensors, size_t n_tensors,
                                  struct gtr_record_estimate *estimate, struct gtr_err *err);

#endif
