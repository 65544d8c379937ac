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
#include <sys/wait.h>
#include <unistd.h>

#include "gradtrace.h"

enum { KILLED_TENSORS = 5, KILLED_EVERY = 3 };

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

static inline float killed_element(size_t t, size_t i, uint64_t e)
{
    return (float)(killed_mix(t * 1000003 + i * 10007 + e) >> 40) / 1024.0f - 3.0f;
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
                              .skipped = t % 7 == 3 };
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
        float elements[3000];
        uint64_t e;

        for (e = 0; e < killed_numel[i]; e++)
            elements[e] = killed_element(t, i, e);
        rc = gtr_writer_elements(writer, i, elements, err);
    }
    return rc;
}

/* One step, first without what the run applied; some are amended. */
static inline enum gtr_code killed_append(struct gtr_writer *writer, size_t t, bool elements,
                                          struct gtr_err *err)
{
    double sumsq[KILLED_TENSORS];
    float maxabs[KILLED_TENSORS];
    uint64_t nonfinite[KILLED_TENSORS];
    struct gtr_step step = killed_step(t), bare = step;
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; i < KILLED_TENSORS; i++) {
        sumsq[i] = killed_value(t, i, 0);
        maxabs[i] = (float)killed_value(t, i, 1);
        nonfinite[i] = killed_count(t, i);
    }
    if (elements && t % KILLED_EVERY == 0)
        rc = killed_capture(writer, t, err);
    if (t % 2 == 0) {
        bare.applied_scale = (double)NAN;
        bare.skipped = false;
    }
    if (rc == GTR_OK)
        rc = gtr_writer_append(writer, &bare, sumsq, maxabs, nonfinite, NULL, err);
    if (rc == GTR_OK && t % 2 == 0)
        rc = gtr_writer_amend(writer, step.applied_scale, step.skipped, err);
    return rc;
}

static inline bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Is row t what was written?  The last one may lack its amendment. */
static inline bool killed_row_is_right(const struct gtr_trace *trace, size_t t, bool last)
{
    double sumsq[KILLED_TENSORS];
    float maxabs[KILLED_TENSORS];
    uint64_t nonfinite[KILLED_TENSORS];
    const struct gtr_step *got = &gtr_trace_steps(trace)[t], wanted = killed_step(t);
    bool amended =
        same_bits(got->applied_scale, wanted.applied_scale) && got->skipped == wanted.skipped;
    size_t i;

    if (got->index != wanted.index || !same_bits(got->loss, wanted.loss) ||
        !same_bits(got->lr, wanted.lr) || !same_bits(got->time, wanted.time) ||
        !(amended || (last && t % 2 == 0 && isnan(got->applied_scale) && !got->skipped)))
        return false;
    if (gtr_trace_read_rows(trace, GTR_SUMSQ, t, 1, sumsq, NULL) != GTR_OK ||
        gtr_trace_read_rows(trace, GTR_MAXABS, t, 1, maxabs, NULL) != GTR_OK ||
        gtr_trace_read_rows(trace, GTR_NONFINITE, t, 1, nonfinite, NULL) != GTR_OK)
        return false;
    for (i = 0; i < KILLED_TENSORS; i++)
        if (!same_bits(sumsq[i], killed_value(t, i, 0)) ||
            maxabs[i] != (float)killed_value(t, i, 1) || nonfinite[i] != killed_count(t, i))
            return false;
    return true;
}

static inline bool killed_capture_is_right(struct gtr_trace *trace, size_t capture)
{
    size_t t = (size_t)gtr_trace_capture_rows(trace)[capture], i;
    uint64_t e;

    if (t % KILLED_EVERY != 0)
        return false;
    for (i = 0; i < KILLED_TENSORS; i++) {
        float elements[3000];

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
    bool elements;
    uint64_t segment_bytes;
    size_t n_steps;    /* the child ends by itself after so many */
    unsigned delay_us; /* the kill comes so long after the first step */
};

/* In the child: tells each completed step, and never returns. */
static inline void killed_record(const struct killed_plan *plan, int told)
{
    const struct gtr_writer_options options = { .force = true,
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
        killed_record(plan, pipes[1]);
    }
    close(pipes[1]);
    if (read(pipes[0], &t, sizeof t) == sizeof t)
        completed = 1;
    usleep(plan->delay_us);
    kill(child, SIGKILL);
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
        losses->wrong += !killed_row_is_right(trace, t, (long)t >= completed);
    in_segments = gtr_trace_n_steps(trace) - folder.n_journal_rows;
    if (plan->elements)
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
