/* export.c - bands of a trace, added up into groups and written as text. */
#define _GNU_SOURCE
#include "export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

/* One matrix of the trace, of which one band is in memory. */
struct sheet {
    enum gtr_norm norm;
    size_t size; /* of an element */
    size_t band_rows;
    size_t band; /* in memory; SIZE_MAX: none yet */
    char *rows;  /* NULL: not needed */
};

struct exporter {
    const struct gtr_trace *trace;
    const struct gtr_groups *groups;
    const struct gtr_export_options *options;
    FILE *out;
    size_t n_tensors, n_series;
    struct sheet sumsq, maxabs, nonfinite;
    double *values;     /* of the present step, [n_series] */
    char **names;       /* as the file spells them, [n_series] */
    const char *prefix; /* of wide and JSON names */
    char delimiter;
    bool loss, lr; /* known at some step */
};

static const char *const what_names[GTR_EXPORT_WHAT_COUNT] = { "norm", "sumsq", "maxabs",
                                                               "nonfinite" };
static const char *const prefixes[GTR_EXPORT_WHAT_COUNT] = { "grad_norm/", "grad_sumsq/",
                                                             "grad_maxabs/", "grad_nonfinite/" };

const char *gtr_export_what_name(enum gtr_export_what what)
{
    return what_names[what];
}

static const char *name_of(const struct exporter *exporter, size_t i)
{
    return exporter->groups != NULL ? exporter->groups->names[i]
                                    : gtr_trace_head(exporter->trace)->tensors[i].name;
}

static size_t series_of(const struct exporter *exporter, size_t tensor)
{
    return exporter->groups != NULL ? exporter->groups->of_tensor[tensor] : tensor;
}

/* --- values ---------------------------------------------------------------------------------- */

static enum gtr_code sheet_open(struct sheet *sheet, const struct exporter *exporter,
                                enum gtr_norm norm, size_t size, struct gtr_err *err)
{
    *sheet = (struct sheet){ .norm = norm,
                             .size = size,
                             .band_rows = gtr_trace_band_rows(exporter->trace, norm),
                             .band = SIZE_MAX };
    return gtr_alloc_for(&sheet->rows, sheet->band_rows * exporter->n_tensors, size, "norms", err);
}

/* Points *pointer to the row of step t; to NULL if the sheet is not open. */
static enum gtr_code sheet_row(struct sheet *sheet, const struct exporter *exporter, size_t t,
                               void *pointer, struct gtr_err *err)
{
    const char *row = NULL;
    enum gtr_code rc = GTR_OK;

    if (sheet->rows != NULL) {
        if (t / sheet->band_rows != sheet->band)
            rc = gtr_trace_read_band(exporter->trace, sheet->norm, t / sheet->band_rows,
                                     sheet->rows, err);
        sheet->band = t / sheet->band_rows;
        row = sheet->rows + t % sheet->band_rows * exporter->n_tensors * sheet->size;
    }
    memcpy(pointer, &row, sizeof row);
    return rc;
}

static enum gtr_code open_sheets(struct exporter *exporter, struct gtr_err *err)
{
    enum gtr_export_what what = exporter->options->what;
    enum gtr_code rc = GTR_OK;

    if (what == GTR_EXPORT_NORM || what == GTR_EXPORT_SUMSQ)
        rc = sheet_open(&exporter->sumsq, exporter, GTR_SUMSQ, sizeof(double), err);
    if (rc == GTR_OK && what == GTR_EXPORT_MAXABS)
        rc = sheet_open(&exporter->maxabs, exporter, GTR_MAXABS, sizeof(float), err);
    if (rc == GTR_OK && what != GTR_EXPORT_MAXABS)
        rc = sheet_open(&exporter->nonfinite, exporter, GTR_NONFINITE, sizeof(uint64_t), err);
    return rc;
}

/* Adds up one step's tensors, in their order. */
static enum gtr_code fill_values(struct exporter *exporter, size_t t, struct gtr_err *err)
{
    const double *sumsq = NULL;
    const float *maxabs = NULL;
    const uint64_t *nonfinite = NULL;
    double *values = exporter->values;
    enum gtr_code rc;
    size_t i;

    rc = sheet_row(&exporter->sumsq, exporter, t, &sumsq, err);
    if (rc == GTR_OK)
        rc = sheet_row(&exporter->maxabs, exporter, t, &maxabs, err);
    if (rc == GTR_OK)
        rc = sheet_row(&exporter->nonfinite, exporter, t, &nonfinite, err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < exporter->n_series; i++)
        values[i] = 0.0;
    for (i = 0; i < exporter->n_tensors; i++) {
        double *value = &values[series_of(exporter, i)];

        if (sumsq != NULL)
            *value += nonfinite[i] == 0 ? sumsq[i] : (double)NAN;
        else if (nonfinite != NULL)
            *value += (double)nonfinite[i];
        else if (isnan(maxabs[i]) || (double)maxabs[i] > *value)
            *value = isnan(*value) ? *value : (double)maxabs[i]; /* one unknown: all unknown */
    }
    for (i = 0; exporter->options->what == GTR_EXPORT_NORM && i < exporter->n_series; i++)
        values[i] = sqrt(values[i]);
    return GTR_OK;
}

/* --- text ------------------------------------------------------------------------------------ */

static void put_number(const struct exporter *exporter, double value)
{
    char text[GTR_NUMBER_SIZE];

    gtr_text_print(value, text);
    fputs(text, exporter->out);
}

/* The name as a field, in quotes if it has to be: our own import drops blanks around unquoted ones.
 * One that would break a row or steer a terminal comes escaped, as in all tables of the program. */
static void put_field(FILE *out, const char *escaped, char delimiter)
{
    const char special[] = { delimiter, '"', ' ', '\0' };
    bool quoted = strpbrk(escaped, special) != NULL;

    fputs(quoted ? "\"" : "", out);
    for (; *escaped != '\0'; escaped++) {
        if (*escaped == '"')
            fputc('"', out);
        fputc(*escaped, out);
    }
    fputs(quoted ? "\"" : "", out);
}

static void put_json_text(FILE *out, const char *escaped)
{
    fputc('"', out);
    for (; *escaped != '\0'; escaped++) {
        if (*escaped == '"' || *escaped == '\\')
            fputc('\\', out);
        fputc(*escaped, out);
    }
    fputc('"', out);
}

/* Most names can be written as they are, and are then read back as they were. */
static bool is_plain(const char *name)
{
    uint32_t letter;
    size_t n;

    for (; (n = gtr_text_letter(name, &letter)) > 0 && gtr_text_is_safe(letter); name += n)
        ;
    return *name == '\0';
}

/* A name as the file has it, as a new string; free() it. */
static char *spelled(const struct exporter *exporter, const char *name, const char *prefix)
{
    char *text = NULL, *field = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        return NULL;
    fputs(prefix, f);
    if (is_plain(name))
        fputs(name, f);
    else
        gtr_text_escape(f, name);
    fclose(f);
    f = text != NULL ? open_memstream(&field, &size) : NULL;
    if (f != NULL) {
        if (exporter->options->format == GTR_EXPORT_JSONL)
            put_json_text(f, text);
        else
            put_field(f, text, exporter->delimiter);
        fclose(f);
    }
    free(text);
    return field;
}

/* Names are spelled once, not at each step. */
static enum gtr_code spell_names(struct exporter *exporter, struct gtr_err *err)
{
    bool is_long = exporter->options->format != GTR_EXPORT_JSONL &&
                   exporter->options->layout == GTR_EXPORT_LONG;
    enum gtr_code rc =
        gtr_alloc_for(&exporter->names, exporter->n_series, sizeof(char *), "names", err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < exporter->n_series; i++) {
        exporter->names[i] =
            spelled(exporter, name_of(exporter, i), is_long ? "" : exporter->prefix);
        if (exporter->names[i] == NULL)
            rc = gtr_fail(err, GTR_ENOMEM, "no memory for names");
    }
    return rc;
}

static void put_json_number(const struct exporter *exporter, double value)
{
    if (isnan(value))
        fputs("\"NaN\"", exporter->out);
    else if (isinf(value))
        fputs(value > 0 ? "\"Infinity\"" : "\"-Infinity\"", exporter->out);
    else
        put_number(exporter, value);
}

/* --- layouts --------------------------------------------------------------------------------- */

static void put_header(const struct exporter *exporter)
{
    char d = exporter->delimiter;
    FILE *out = exporter->out;
    size_t i;

    if (exporter->options->layout == GTR_EXPORT_LONG) {
        fprintf(out, "step%cmodule%c%s\n", d, d, what_names[exporter->options->what]);
        return;
    }
    fputs("step", out);
    if (exporter->loss)
        fprintf(out, "%closs", d);
    if (exporter->lr)
        fprintf(out, "%clr", d);
    for (i = 0; i < exporter->n_series; i++) {
        fputc(d, out);
        fputs(exporter->names[i], out);
    }
    fputc('\n', out);
}

static void put_long(const struct exporter *exporter, const struct gtr_step *step)
{
    char d = exporter->delimiter;
    size_t i;

    for (i = 0; i < exporter->n_series; i++) {
        fprintf(exporter->out, "%lld%c", (long long)step->index, d);
        fputs(exporter->names[i], exporter->out);
        fputc(d, exporter->out);
        put_number(exporter, exporter->values[i]);
        fputc('\n', exporter->out);
    }
}

/* Unknown: nothing. */
static void put_extra(const struct exporter *exporter, bool column, double value)
{
    if (!column)
        return;
    fputc(exporter->delimiter, exporter->out);
    if (!isnan(value))
        put_number(exporter, value);
}

static void put_wide(const struct exporter *exporter, const struct gtr_step *step)
{
    size_t i;

    fprintf(exporter->out, "%lld", (long long)step->index);
    put_extra(exporter, exporter->loss, step->loss);
    put_extra(exporter, exporter->lr, step->lr);
    for (i = 0; i < exporter->n_series; i++) {
        fputc(exporter->delimiter, exporter->out);
        put_number(exporter, exporter->values[i]);
    }
    fputc('\n', exporter->out);
}

static void put_object(const struct exporter *exporter, const struct gtr_step *step)
{
    FILE *out = exporter->out;
    size_t i;

    fprintf(out, "{\"step\": %lld", (long long)step->index);
    if (!isnan(step->loss)) {
        fputs(", \"loss\": ", out);
        put_json_number(exporter, step->loss);
    }
    if (!isnan(step->lr)) {
        fputs(", \"lr\": ", out);
        put_json_number(exporter, step->lr);
    }
    for (i = 0; i < exporter->n_series; i++) {
        fprintf(out, ", %s: ", exporter->names[i]);
        put_json_number(exporter, exporter->values[i]);
    }
    fputs("}\n", out);
}

static void look_at_steps(struct exporter *exporter)
{
    const struct gtr_step *steps = gtr_trace_steps(exporter->trace);
    size_t t;

    for (t = 0; t < gtr_trace_n_steps(exporter->trace); t++) {
        exporter->loss = exporter->loss || !isnan(steps[t].loss);
        exporter->lr = exporter->lr || !isnan(steps[t].lr);
    }
}

static enum gtr_code write_steps(struct exporter *exporter, struct gtr_err *err)
{
    const struct gtr_step *steps = gtr_trace_steps(exporter->trace);
    void (*put)(const struct exporter *, const struct gtr_step *) =
        exporter->options->format == GTR_EXPORT_JSONL  ? put_object
        : exporter->options->layout == GTR_EXPORT_WIDE ? put_wide
                                                       : put_long;
    enum gtr_code rc = GTR_OK;
    size_t t;

    if (exporter->options->format != GTR_EXPORT_JSONL)
        put_header(exporter);
    for (t = 0; t < gtr_trace_n_steps(exporter->trace) && !ferror(exporter->out); t++) {
        rc = fill_values(exporter, t, err);
        if (rc != GTR_OK)
            break;
        put(exporter, &steps[t]);
    }
    return rc;
}

enum gtr_code gtr_export_write(const struct gtr_trace *trace, const struct gtr_groups *groups,
                               const struct gtr_export_options *options, FILE *out,
                               struct gtr_err *err)
{
    struct exporter exporter = { .trace = trace, .groups = groups, .options = options, .out = out };
    enum gtr_code rc;
    size_t i;

    exporter.n_tensors = gtr_trace_head(trace)->n_tensors;
    exporter.n_series = groups != NULL ? groups->n_groups : exporter.n_tensors;
    exporter.delimiter = options->format == GTR_EXPORT_TSV ? '\t' : ',';
    exporter.prefix = prefixes[options->what];
    look_at_steps(&exporter);
    rc = open_sheets(&exporter, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exporter.values, exporter.n_series, sizeof(double), "series", err);
    if (rc == GTR_OK)
        rc = spell_names(&exporter, err);
    if (rc == GTR_OK)
        rc = write_steps(&exporter, err);
    for (i = 0; exporter.names != NULL && i < exporter.n_series; i++)
        free(exporter.names[i]);
    gtr_free(exporter.names);
    gtr_free(exporter.sumsq.rows);
    gtr_free(exporter.maxabs.rows);
    gtr_free(exporter.nonfinite.rows);
    gtr_free(exporter.values);
    return rc;
}
