/* logs.h - logs as texts in memory, for the tests of import and export. */
#ifndef LOGS_H
#define LOGS_H

#include <stdint.h>

#include "check.h"
#include "gradtrace_lab.h"

static inline enum gtr_code read_bytes(const char *text, size_t size,
                                       const struct gtr_log_options *options, struct gtr_log **log,
                                       struct gtr_err *err)
{
    static const struct gtr_log_options usual = { .format = NULL };
    FILE *f = size > 0 ? fmemopen((void *)(uintptr_t)text, size, "r") : fopen("/dev/null", "r");
    enum gtr_code rc = gtr_log_read(f, "the.log", options != NULL ? options : &usual, log, err);

    fclose(f);
    return rc;
}

/* Reads a text that must be understood. */
static inline struct gtr_log *read_good(const char *text, const struct gtr_log_options *options)
{
    struct gtr_err err = { 0 };
    struct gtr_log *log = NULL;

    CHECK(read_bytes(text, strlen(text), options, &log, &err) == GTR_OK);
    if (log == NULL)
        printf("    \"%.60s\": %s\n", text, err.text);
    return log;
}

enum { MOST = 16 }; /* series in these tests */

/* The norm of a series at the t-th step, or NAN where it counts as non-finite. */
static inline double norm_at(const struct gtr_log *log, size_t t, const char *series)
{
    const struct gtr_log_summary *summary = gtr_log_summary(log);
    uint64_t nonfinite[MOST];
    double sumsq[MOST];
    size_t i;

    if (summary->n_series > MOST || t >= summary->n_steps)
        return -1.0;
    gtr_log_row(log, t, sumsq, nonfinite);
    for (i = 0; i < summary->n_series; i++)
        if (strcmp(gtr_log_series_name(log, i), series) == 0)
            return nonfinite[i] > 0 ? (double)NAN : sqrt(sumsq[i]);
    return -2.0;
}

static inline void check_names(const struct gtr_log *log, const char *wanted)
{
    char names[400] = "";
    size_t i;

    for (i = 0; i < gtr_log_summary(log)->n_series; i++) {
        strcat(names, i > 0 ? " " : "");
        strcat(names, gtr_log_series_name(log, i));
    }
    CHECK_TEXT(names, wanted);
}

#endif
