/* killed.h - a recorder that is killed while it records, and what must be left of the run.
 *
 * All values are functions of step and tensor, so that whoever reads the trace knows what must be
 * in it.  Each completed step is told through a pipe; a step that was told must be there.
 */
#ifndef KILLED_H
#define KILLED_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gradtrace_lab.h"

enum { KILLED_TENSORS = 5, KILLED_EVERY = 3, KILLED_NUMEL = 3000, KILLED_SPIKE = 19 };

static const uint64_t killed_numel[KILLED_TENSORS] = { 1, 700, 3000, 0, 64 };

static inline uint64_t killed_mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline double killed_value(size_t t, size_t i, unsigned what)
{
    return (double)(killed_mix(t * 64 + i * 8 + what + 1) >> 20) / 4096.0;
}

/* Every KILLED_SPIKE-th step is one. */
static inline float killed_element(size_t t, size_t i, uint64_t e)
{
    float value = (float)(killed_mix(t * 1000003 + i * 10007 + e) >> 40) / 1024.0f - 3.0f;

    return t % KILLED_SPIKE == KILLED_SPIKE - 1 ? 64.0f * value : value;
}

static inline void killed_elements(size_t t, size_t i, float *elements)
{
    uint64_t e;

    for (e = 0; e < killed_numel[i]; e++)
        elements[e] = killed_element(t, i, e);
}

static inline uint64_t killed_count(size_t t, size_t i)
{
    return killed_mix(t * 64 + i) % 16 == 0 ? t + i : 0;
}

static inline struct gtr_step killed_step(size_t t)
{
    return (struct gtr_step){ .index = (int64_t)(2 * t + 5),
                              .loss = killed_value(t, 40, 0),
                              .lr = 1.0 / (double)(t + 1),
                              .time = (double)t / 8.0,
                              .applied_scale = killed_value(t, 41, 0),
                              .skipped = t % 7 == 3,
                              .rest = t % 5 == 2 ? killed_value(t, 42, 0) : 0.0 };
}

static inline void killed_head(struct gtr_head *head)
{
    size_t i;

    gtr_head_init(head, NULL);
    for (i = 0; i < KILLED_TENSORS; i++) {
        char name[32], shape[24];

        snprintf(name, sizeof name, "layers.%zu.q_proj.weight", i);
        snprintf(shape, sizeof shape, "%llu", (unsigned long long)killed_numel[i]);
        gtr_head_add_tensor(head, name, shape, killed_numel[i], GTR_F32, NULL);
    }
}

static inline enum gtr_code killed_capture(struct gtr_writer *writer, size_t t, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < KILLED_TENSORS; i++) {
        float elements[KILLED_NUMEL];

        killed_elements(t, i, elements);
        rc = gtr_writer_elements(writer, i, elements, err);
    }
    return rc;
}

struct killed_row {
    struct gtr_step step;
    double sumsq[KILLED_TENSORS];
    float maxabs[KILLED_TENSORS];
    uint64_t nonfinite[KILLED_TENSORS];
};

static inline struct killed_row killed_row(size_t t)
{
    struct killed_row row = { .step = killed_step(t) };
    size_t i;

    for (i = 0; i < KILLED_TENSORS; i++) {
        row.sumsq[i] = killed_value(t, i, 0);
        row.maxabs[i] = (float)killed_value(t, i, 1);
        row.nonfinite[i] = killed_count(t, i);
    }
    return row;
}

/* Norms as a recorder makes them, from the elements. */
static inline struct killed_row killed_reduced(size_t t)
{
    struct killed_row row = { .step = killed_step(t) };
    size_t i;

    for (i = 0; i < KILLED_TENSORS; i++) {
        float elements[KILLED_NUMEL];
        struct gtr_reduction sum;

        killed_elements(t, i, elements);
        gtr_reduce(GTR_F32, elements, killed_numel[i], 1, &sum);
        row.sumsq[i] = sum.sumsq;
        row.maxabs[i] = sum.maxabs;
        row.nonfinite[i] = sum.nonfinite;
    }
    return row;
}

/* One step, first without what the run applied; some are amended. */
static inline enum gtr_code killed_append(struct gtr_writer *writer, size_t t, bool elements,
                                          struct gtr_err *err)
{
    const struct killed_row row = killed_row(t);
    struct gtr_step bare = row.step;
    enum gtr_code rc = GTR_OK;

    if (elements && t % KILLED_EVERY == 0)
        rc = killed_capture(writer, t, err);
    if (t % 2 == 0) {
        bare.applied_scale = (double)NAN;
        bare.skipped = false;
    }
    if (rc == GTR_OK)
        rc = gtr_writer_append(writer, &bare, row.sumsq, row.maxabs, row.nonfinite, NULL, err);
    if (rc == GTR_OK && t % 2 == 0)
        rc = gtr_writer_amend(writer, row.step.applied_scale, row.step.skipped, err);
    return rc;
}

static inline bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* `bare`: the row may lack its amendment. */
static inline bool killed_step_is_right(const struct gtr_step *got, const struct gtr_step *wanted,
                                        bool bare)
{
    bool amended =
        same_bits(got->applied_scale, wanted->applied_scale) && got->skipped == wanted->skipped;

    return got->index == wanted->index && same_bits(got->loss, wanted->loss) &&
           same_bits(got->lr, wanted->lr) && same_bits(got->rest, wanted->rest) &&
           (amended || (bare && isnan(got->applied_scale) && !got->skipped));
}

static inline bool killed_norms_are_right(const struct gtr_trace *trace, size_t t,
                                          const struct killed_row *wanted)
{
    double sumsq[KILLED_TENSORS];
    float maxabs[KILLED_TENSORS];
    uint64_t nonfinite[KILLED_TENSORS];
    size_t i;

    if (gtr_trace_read_rows(trace, GTR_SUMSQ, t, 1, sumsq, NULL) != GTR_OK ||
        gtr_trace_read_rows(trace, GTR_MAXABS, t, 1, maxabs, NULL) != GTR_OK ||
        gtr_trace_read_rows(trace, GTR_NONFINITE, t, 1, nonfinite, NULL) != GTR_OK)
        return false;
    for (i = 0; i < KILLED_TENSORS; i++)
        if (!same_bits(sumsq[i], wanted->sumsq[i]) || maxabs[i] != wanted->maxabs[i] ||
            nonfinite[i] != wanted->nonfinite[i])
            return false;
    return true;
}

/* Is row t what was written?  The last one may lack its amendment. */
static inline bool killed_row_is_right(const struct gtr_trace *trace, size_t t, bool last)
{
    const struct gtr_step *got = &gtr_trace_steps(trace)[t];
    const struct killed_row wanted = killed_row(t);

    return same_bits(got->time, wanted.step.time) &&
           killed_step_is_right(got, &wanted.step, last && t % 2 == 0) &&
           killed_norms_are_right(trace, t, &wanted);
}

/* The same of a recorder's, whose times are the clock's. */
static inline bool killed_reduced_is_right(const struct gtr_trace *trace, size_t t, bool last)
{
    const struct killed_row wanted = killed_reduced(t);

    return killed_step_is_right(&gtr_trace_steps(trace)[t], &wanted.step, last) &&
           killed_norms_are_right(trace, t, &wanted);
}

static inline bool killed_capture_is_right(struct gtr_trace *trace, size_t capture)
{
    size_t t = (size_t)gtr_trace_capture_rows(trace)[capture], i;
    uint64_t e;

    if (t % KILLED_EVERY != 0)
        return false;
    for (i = 0; i < KILLED_TENSORS; i++) {
        float elements[KILLED_NUMEL];

        if (killed_numel[i] == 0)
            continue;
        if (gtr_trace_n_elements(trace, i) != killed_numel[i] ||
            gtr_trace_read_elements(trace, i, capture, elements, NULL) != GTR_OK)
            return false;
        for (e = 0; e < killed_numel[i]; e++)
            if (elements[e] != killed_element(t, i, e))
                return false;
    }
    return true;
}

/* --- one run ---------------------------------------------------------------------------------- */

struct killed_plan {
    const char *path;
    bool recorder;    /* a recorder with its queue, else its writer alone */
    bool synchronous; /* that recorder: on one thread */
    int64_t around;   /* and a flight recorder */
    int64_t slots;    /* and room for so many captures in its queue */
    bool elements;
    uint64_t segment_bytes;
    double segment_seconds; /* 0: 30 */
    size_t n_steps;         /* the child ends by itself after so many */
    uint64_t disk;          /* no file may grow beyond so many bytes; 0: any */
    bool spared;            /* it may come to its end; else */
    unsigned delay_us;      /* the kill comes so long after the first step, */
    int signal;             /* by this one; 0: SIGKILL */
};

/* In the child: tells each completed step, and never returns. */
static inline void killed_record(const struct killed_plan *plan, int told)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = true,
                                                .elements = plan->elements,
                                                .segment_bytes = plan->segment_bytes,
                                                .n_threads = 1 };
    struct gtr_writer *writer;
    struct gtr_err err = { 0 };
    struct gtr_head head;
    uint32_t t;

    killed_head(&head);
    if (gtr_writer_open(plan->path, &head, &options, &writer, &err) != GTR_OK)
        _exit(1);
    for (t = 0; t < plan->n_steps; t++)
        if (killed_append(writer, t, plan->elements, &err) != GTR_OK ||
            write(told, &t, sizeof t) != sizeof t)
            _exit(2);
    _exit(gtr_writer_close(writer, &err) == GTR_OK ? 0 : 3);
}

static inline struct gtr_recorder *killed_open(const struct killed_plan *plan)
{
    const struct gtr_step first = killed_step(0), second = killed_step(1);
    struct gtr_record_options options;
    struct gtr_recorder *r;
    size_t i;

    gtr_record_options_init(&options);
    options.force = 1;
    options.n_threads = 1;
    options.writer_threads = 1;
    options.elements = plan->elements ? GTR_ELEMENTS_FULL : GTR_ELEMENTS_NONE;
    options.first = first.index;
    options.every = KILLED_EVERY * (second.index - first.index);
    options.queue_bytes = plan->slots * (int64_t)((KILLED_TENSORS * KILLED_NUMEL) * sizeof(float));
    options.around_spikes = plan->around;
    options.synchronous = plan->synchronous;
    options.segment_bytes = (int64_t)plan->segment_bytes;
    options.segment_seconds = plan->segment_seconds;
    if (gtr_recorder_open(plan->path, &options, &r, NULL) != GTR_OK)
        return NULL;
    for (i = 0; i < KILLED_TENSORS; i++) {
        char name[32], shape[24];

        snprintf(name, sizeof name, "layers.%zu.q_proj.weight", i);
        snprintf(shape, sizeof shape, "%llu", (unsigned long long)killed_numel[i]);
        gtr_recorder_tensor(r, name, shape, killed_numel[i], GTR_F32, NULL);
    }
    return r;
}

static inline enum gtr_code killed_train(struct gtr_recorder *r, size_t t, struct gtr_err *err)
{
    const struct gtr_step step = killed_step(t);
    enum gtr_code rc = gtr_recorder_begin(r, step.index, step.loss, step.lr, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < KILLED_TENSORS; i++) {
        float elements[KILLED_NUMEL];

        killed_elements(t, i, elements);
        rc = gtr_recorder_grad(r, i, elements, err);
    }
    if (rc == GTR_OK && step.rest > 0.0)
        rc = gtr_recorder_rest(r, step.rest, err);
    if (rc == GTR_OK)
        rc = gtr_recorder_end(r, err);
    if (rc == GTR_OK)
        rc = gtr_recorder_applied(r, step.applied_scale, step.skipped, err);
    return rc;
}

/* To this process the disk is full where a file gets so large. */
static inline void killed_fill(uint64_t bytes)
{
    const struct rlimit small = { bytes, bytes };

    if (bytes == 0)
        return;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
}

/* killed_record with a recorder. */
static inline void killed_record_all(const struct killed_plan *plan, int told)
{
    struct gtr_recorder *r = killed_open(plan);
    struct gtr_err err = { 0 };
    uint32_t t;

    if (r == NULL)
        _exit(1);
    killed_fill(plan->disk);
    for (t = 0; t < plan->n_steps; t++) {
        if (plan->disk > 0 && killed_train(r, t, &err) != GTR_OK) {
            gtr_recorder_close(r, NULL);
            _exit(0);
        }
        if ((plan->disk == 0 && killed_train(r, t, &err) != GTR_OK) ||
            write(told, &t, sizeof t) != sizeof t) {
            fprintf(stderr, "%s\n", err.text);
            _exit(2);
        }
    }
    _exit(gtr_recorder_close(r, &err) == GTR_OK || plan->disk > 0 ? 0 : 3);
}

/* Steps that the child had completed when it ended, or -1. */
static inline long killed_run(const struct killed_plan *plan)
{
    long completed = 0;
    int pipes[2], status;
    uint32_t t;
    pid_t child;

    if (pipe(pipes) != 0 || (child = fork()) < 0)
        return -1;
    if (child == 0) {
        close(pipes[0]);
        (plan->recorder ? killed_record_all : killed_record)(plan, pipes[1]);
    }
    close(pipes[1]);
    if (read(pipes[0], &t, sizeof t) == sizeof t)
        completed = 1;
    if (!plan->spared) {
        usleep(plan->delay_us);
        kill(child, plan->signal != 0 ? plan->signal : SIGKILL);
    }
    while (read(pipes[0], &t, sizeof t) == sizeof t)
        completed = (long)t + 1;
    close(pipes[0]);
    if (waitpid(child, &status, 0) != child || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
        return -1;
    return completed;
}

struct killed_losses {
    size_t unreadable, lost, wrong, lost_elements, wrong_elements;
    size_t rows, captures, in_journal, rotating; /* for the record */
};

/* Compares what the folder holds with what the child had completed. */
static inline void killed_compare(const struct killed_plan *plan, const char *path, long completed,
                                  struct killed_losses *losses)
{
    struct gtr_trace_folder folder = { 0 };
    struct gtr_trace *trace;
    struct gtr_err err = { 0 };
    size_t t, c, in_segments;

    if (gtr_trace_open(path, &trace, &err) != GTR_OK) {
        printf("%s\n", err.text);
        losses->unreadable++;
        return;
    }
    gtr_trace_is_folder(trace, &folder);
    losses->lost += (long)gtr_trace_n_steps(trace) < completed;
    for (t = 0; t < gtr_trace_n_steps(trace); t++)
        losses->wrong += !(plan->recorder ? killed_reduced_is_right
                                          : killed_row_is_right)(trace, t, (long)t >= completed);
    in_segments = gtr_trace_n_steps(trace) - folder.n_journal_rows;
    if (plan->elements && plan->around == 0 && plan->disk == 0)
        losses->lost_elements +=
            gtr_trace_n_captures(trace) != (in_segments + KILLED_EVERY - 1) / KILLED_EVERY;
    for (c = 0; c < gtr_trace_n_captures(trace); c++)
        losses->wrong_elements += !killed_capture_is_right(trace, c);
    losses->rows += gtr_trace_n_steps(trace);
    losses->captures += gtr_trace_n_captures(trace);
    losses->in_journal += folder.n_journal_rows;
    gtr_trace_close(trace);
}

#endif
