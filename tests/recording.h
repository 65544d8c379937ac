/* recording.h - a small recorder and its file, for the tests of recording. */
#ifndef RECORDING_H
#define RECORDING_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"
#include "recorder.h"
#include "scratch.h"
#include "trace.h"

static char path[256]; /* of the trace; alone in its folder */

static inline void recording_init(void)
{
    snprintf(path, sizeof path, "%s", scratch_path("run.h5"));
}

static inline size_t count_files(void)
{
    DIR *d = opendir(scratch_folder);
    const struct dirent *entry;
    size_t n = 0;

    while (d != NULL && (entry = readdir(d)) != NULL)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (d != NULL)
        closedir(d);
    return n;
}

static inline void remove_trace(void)
{
    unlink(path);
    CHECK(count_files() == 0); /* no temporary file was left */
}

static const float q_grad[4] = { 1.0f, -2.0f, 0.5f, 0.0f };
static const uint16_t s_grad = 0xc040; /* -3 in bf16 */

/* A recorder of two tensors: q, 4 f32, and s, one bf16. */
static inline struct gtr_recorder *open_pair(const struct gtr_record_options *options)
{
    struct gtr_err err = { 0 };
    struct gtr_recorder *r = NULL;

    gtr_recorder_open(path, options, &r, &err);
    if (r != NULL)
        gtr_recorder_tensor(r, "layers.0.q_proj.weight", "2x2", 4, GTR_F32, &err);
    if (r != NULL)
        gtr_recorder_tensor(r, "scale", "", 1, GTR_BF16, &err);
    CHECK_TEXT(err.text, "");
    return r;
}

static inline enum gtr_code record_step(struct gtr_recorder *r, int64_t step, struct gtr_err *err)
{
    enum gtr_code rc = gtr_recorder_begin(r, step, 2.5, 1e-3, err);

    if (rc == GTR_OK)
        rc = gtr_recorder_grad(r, 0, q_grad, err);
    if (rc == GTR_OK)
        rc = gtr_recorder_grad(r, 1, &s_grad, err);
    if (rc == GTR_OK)
        rc = gtr_recorder_end(r, err);
    return rc;
}

static inline struct gtr_trace *read_back(void)
{
    struct gtr_err err = { 0 };
    struct gtr_trace *trace = NULL;

    gtr_trace_open(path, &trace, &err);
    CHECK_TEXT(err.text, "");
    return trace;
}

#endif
