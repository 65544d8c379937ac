/* record_estimate.c - how much a recording will be, and whether the disk has room for it. */
#define _POSIX_C_SOURCE 200809L
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "alloc.h"
#include "recorder_private.h"

enum { STEPS_WITHOUT_PLAN = 1000 }; /* of a run of unknown length, that the disk should hold */

/* Captures among the steps 0 .. n_steps - 1. */
static double count_captures(const struct gtr_record_options *options, double n_steps)
{
    double first = (double)options->first, last = (double)options->last;
    double every = (double)options->every;

    if (options->elements == GTR_ELEMENTS_NONE || options->around_spikes > 0)
        return 0.0;
    if (first < 0.0) /* the first one that is not negative */
        first += every * (double)(uint64_t)((-first + every - 1.0) / every);
    last = last < n_steps - 1.0 ? last : n_steps - 1.0;
    return last < first ? 0.0 : (double)(uint64_t)((last - first) / every) + 1.0;
}

enum gtr_code gtr_record_estimate(const struct gtr_record_options *options,
                                  const struct gtr_tensor *tensors, size_t n_tensors,
                                  struct gtr_record_estimate *out, struct gtr_err *err)
{
    const struct gtr_sample sampling = { GTR_SAMPLE_BLOCK, options->fraction, options->seed };
    enum gtr_code rc = gtr_record_options_check(options, err);
    double capture;
    size_t i;

    *out = (struct gtr_record_estimate){ .row_bytes =
                                             GTR_STEP_BYTES + gtr_row_bytes(n_tensors, false) };
    for (i = 0; rc == GTR_OK && options->elements != GTR_ELEMENTS_NONE && i < n_tensors; i++) {
        uint64_t numel = tensors[i].numel;

        if (options->elements == GTR_ELEMENTS_BLOCKS) {
            rc = gtr_sample_check(&sampling, numel, err);
            if (rc == GTR_OK)
                numel = gtr_sample_numel(&sampling, tensors[i].name, numel);
        }
        out->capture_bytes += numel * gtr_dtype_size(tensors[i].dtype);
    }
    capture = (double)out->capture_bytes;
    out->step_bytes = (double)out->row_bytes;
    if (options->around_spikes > 0)
        out->spike_bytes = (2 * (uint64_t)options->around_spikes + 1) * out->capture_bytes;
    else
        out->step_bytes += capture / (double)options->every;
    if (options->total_steps > 0)
        out->run_bytes = (double)options->total_steps * (double)out->row_bytes +
                         count_captures(options, (double)options->total_steps) * capture;
    return rc;
}

/* Free bytes on the disk of a path; 0 if that is not known. */
static uint64_t free_bytes(const char *path)
{
    char *copy = gtr_strdup(path);
    struct statvfs disk;
    bool known = copy != NULL && statvfs(dirname(copy), &disk) == 0;

    gtr_free(copy);
    return known ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

enum gtr_code gtr_recorder_estimate(const struct gtr_recorder *r, struct gtr_record_estimate *out,
                                    struct gtr_err *err)
{
    struct gtr_record_options options = r->options;
    enum gtr_code rc;

    if (r->begun && r->options.around_spikes > 0)
        options.around_spikes = (int64_t)r->spikes.around; /* as far as the queue lets it */
    rc = gtr_record_estimate(&options, r->head.tensors, r->head.n_tensors, out, err);
    out->free_bytes = free_bytes(r->path);
    return rc;
}

const char *gtr_recorder_warning(const struct gtr_recorder *r)
{
    return r->warning;
}

void gtr_recorder_warn(struct gtr_recorder *r, const char *format, ...)
{
    size_t n = strlen(r->warning);
    va_list arguments;

    if (n > 0 && n + 2 < sizeof r->warning) {
        memcpy(r->warning + n, "; ", 3);
        n += 2;
    }
    va_start(arguments, format);
    vsnprintf(r->warning + n, sizeof r->warning - n, format, arguments);
    va_end(arguments);
}

void gtr_recorder_check_disk(struct gtr_recorder *r)
{
    struct gtr_record_estimate e;
    double needed;

    if (gtr_recorder_estimate(r, &e, NULL) != GTR_OK || e.free_bytes == 0)
        return;
    needed = e.run_bytes > 0.0 ? e.run_bytes : STEPS_WITHOUT_PLAN * e.step_bytes;
    if (needed > (double)e.free_bytes)
        gtr_recorder_warn(r, "%s: %.3g MB are free, which %.3g steps fill%s", r->path,
                          1e-6 * (double)e.free_bytes, (double)e.free_bytes / e.step_bytes,
                          e.run_bytes > 0.0 ? "; the run is longer" : "");
}
