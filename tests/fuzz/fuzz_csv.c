/* fuzz_csv.c - any text as a log: CSV, TSV or JSON lines.
 *
 * The property: what was understood, written out as a plain long table, is understood again as
 * the same series, steps and sums of squares, bit for bit; and every refusal names the log.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradtrace_lab.h"
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static struct gtr_log *parse(const void *text, size_t size, const struct gtr_log_options *options)
{
    /* fmemopen refuses size 0. */
    FILE *f = size > 0 ? fmemopen((void *)(uintptr_t)text, size, "r") : fopen("/dev/null", "r");
    struct gtr_err err = { 0 };
    struct gtr_log *log;

    must(f != NULL);
    if (gtr_log_read(f, "the log", options, &log, &err) != GTR_OK) {
        must(err.code != GTR_OK && strstr(err.text, "the log") != NULL);
        log = NULL;
    }
    fclose(f);
    return log;
}

/* In quotes, quotes doubled: holds any name. */
static void write_quoted(FILE *f, const char *name)
{
    fputc('"', f);
    for (; *name != '\0'; name++) {
        if (*name == '"')
            fputc('"', f);
        fputc(*name, f);
    }
    fputc('"', f);
}

struct row {
    double *sumsq;
    uint64_t *nonfinite;
};

static struct row row_new(size_t n)
{
    struct row row = { gtr_alloc(n, sizeof(double)), gtr_alloc(n, sizeof(uint64_t)) };

    must(row.sumsq != NULL && row.nonfinite != NULL);
    return row;
}

static void row_free(struct row *row)
{
    gtr_free(row->sumsq);
    gtr_free(row->nonfinite);
}

static void write_long(FILE *f, const struct gtr_log *log)
{
    const struct gtr_log_summary *summary = gtr_log_summary(log);
    struct row row = row_new(summary->n_series);
    char number[GTR_NUMBER_SIZE];
    size_t t, i;

    fputs("step,module,sumsq\n", f);
    for (t = 0; t < summary->n_steps; t++) {
        gtr_log_row(log, t, row.sumsq, row.nonfinite);
        for (i = 0; i < summary->n_series; i++) {
            fprintf(f, "%" PRId64 ",", gtr_log_steps(log)[t].index);
            write_quoted(f, gtr_log_series_name(log, i));
            gtr_text_print(row.nonfinite[i] > 0 ? (double)NAN : row.sumsq[i], number);
            fprintf(f, ",%s\n", number);
        }
    }
    row_free(&row);
}

static void must_equal(const struct gtr_log *a, const struct gtr_log *b)
{
    size_t n_series = gtr_log_summary(a)->n_series, n_steps = gtr_log_summary(a)->n_steps, t, i;
    struct row x = row_new(n_series), y = row_new(n_series);

    must(gtr_log_summary(b)->n_series == n_series && gtr_log_summary(b)->n_steps == n_steps);
    for (i = 0; i < n_series; i++)
        must(strcmp(gtr_log_series_name(a, i), gtr_log_series_name(b, i)) == 0);
    for (t = 0; t < n_steps; t++) {
        must(gtr_log_steps(a)[t].index == gtr_log_steps(b)[t].index);
        gtr_log_row(a, t, x.sumsq, x.nonfinite);
        gtr_log_row(b, t, y.sumsq, y.nonfinite);
        for (i = 0; i < n_series; i++) {
            must((x.nonfinite[i] > 0) == (y.nonfinite[i] > 0));
            must(memcmp(&x.sumsq[i], &y.sumsq[i], sizeof(double)) == 0);
            must(x.sumsq[i] >= 0.0);
        }
    }
    row_free(&x);
    row_free(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gtr_log_options any = { .repeats = GTR_REPEATS_LAST };
    static const struct gtr_log_options plain = { .format = "csv",
                                                  .columns = "step=step,name=module,sumsq=sumsq" };
    struct gtr_log *log = parse(data, size, &any), *again;
    char *text = NULL;
    size_t length = 0, n_values;
    FILE *f;

    if (log == NULL)
        return 0;
    /* Nothing to compare, or a sparse log that is a huge table: not what this is about. */
    n_values = gtr_log_summary(log)->n_series * gtr_log_summary(log)->n_steps;
    if (n_values > 0 && n_values < 100000) {
        f = open_memstream(&text, &length);
        must(f != NULL);
        write_long(f, log);
        must(fclose(f) == 0);
        again = parse(text, length, &plain);
        must(again != NULL);
        must_equal(log, again);
        gtr_log_free(again);
        free(text);
    }
    gtr_log_free(log);
    return 0;
}
