/* segmenting.h - a folder of segments written step by step, and looked at. */
#ifndef SEGMENTING_H
#define SEGMENTING_H

#include "check.h"
#include "kill/killed.h"

enum { STEPS = 50 };

static inline struct gtr_writer *open_writer(const char *path, uint64_t segment_bytes, bool force,
                                             struct gtr_err *err)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = force,
                                                .elements = true,
                                                .segment_bytes = segment_bytes,
                                                .n_threads = 1 };
    struct gtr_writer *writer = NULL;
    struct gtr_head head;

    killed_head(&head);
    gtr_writer_open(path, &head, &options, &writer, err);
    gtr_head_free(&head);
    return writer;
}

static inline void append_some(struct gtr_writer *writer, size_t from, size_t to)
{
    struct gtr_err err = { 0 };
    size_t t;

    for (t = from; t < to; t++)
        CHECK(killed_append(writer, t, true, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
}

static inline void write_trace(const char *path, uint64_t segment_bytes)
{
    struct gtr_err err = { 0 };
    struct gtr_writer *writer = open_writer(path, segment_bytes, true, &err);

    CHECK_TEXT(err.text, "");
    append_some(writer, 0, STEPS);
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
}

static inline struct gtr_trace *open_trace(const char *path)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    gtr_trace_open(path, &trace, &err);
    CHECK_TEXT(err.text, "");
    return trace;
}

/* Everything right, and so many steps. */
static inline void check_trace(const char *path, size_t n_steps, size_t n_captures)
{
    struct gtr_trace *trace = open_trace(path);
    size_t t, c;

    if (trace == NULL)
        return;
    CHECK(gtr_trace_n_steps(trace) == n_steps);
    CHECK(gtr_trace_n_captures(trace) == n_captures);
    for (t = 0; t < gtr_trace_n_steps(trace); t++)
        CHECK(killed_row_is_right(trace, t, false));
    for (c = 0; c < gtr_trace_n_captures(trace); c++)
        CHECK(killed_capture_is_right(trace, c));
    gtr_trace_close(trace);
}

#endif
