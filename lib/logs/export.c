/* export.c - bands of a trace, added up into groups and written as text. */
#define _GNU_SOURCE
#include "export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "export_tfevents.h"
#include "pen.h"
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
    struct gtr_pen *pen;
    size_t n_tensors, n_series;
    struct sheet sumsq, maxabs, nonfinite;
    double *values;     /* of the present step, [n_series] */
    char **names;       /* as the file spells them, [n_series] */
    size_t *lengths;    /* of these */
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

static void put_bytes(const struct exporter *exporter, const char *bytes, size_t n)
{
    gtr_pen_put(exporter->pen, bytes, n);
}

static void put_text(const struct exporter *exporter, const char *text)
{
    put_bytes(exporter, text, strlen(text));
}

static void put_char(const struct exporter *exporter, char c)
{
    put_bytes(exporter, &c, 1);
}

static void put_name(const struct exporter *exporter, size_t i)
{
    put_bytes(exporter, exporter->names[i], exporter->lengths[i]);
}

static void put_number(const struct exporter *exporter, double value)
{
    char text[GTR_NUMBER_SIZE];

    put_bytes(exporter, text, gtr_text_print(value, text));
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
        else if (exporter->options->format == GTR_EXPORT_TFEVENTS)
            fputs(text, f);
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
    bool is_long = exporter->options->format < GTR_EXPORT_JSONL &&
                   exporter->options->layout == GTR_EXPORT_LONG;
    enum gtr_code rc =
        gtr_alloc_for(&exporter->names, exporter->n_series, sizeof(char *), "names", err);
    size_t i;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exporter->lengths, exporter->n_series, sizeof(size_t), "names", err);

    for (i = 0; rc == GTR_OK && i < exporter->n_series; i++) {
        exporter->names[i] =
            spelled(exporter, name_of(exporter, i), is_long ? "" : exporter->prefix);
        if (exporter->names[i] == NULL)
            return gtr_fail(err, GTR_ENOMEM, "no memory for names");
        exporter->lengths[i] = strlen(exporter->names[i]);
    }
    return rc;
}

static void put_json_number(const struct exporter *exporter, double value)
{
    if (isnan(value))
        put_text(exporter, "\"NaN\"");
    else if (isinf(value))
        put_text(exporter, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        put_number(exporter, value);
}

/* --- layouts --------------------------------------------------------------------------------- */

static void put_header(const struct exporter *exporter)
{
    char d = exporter->delimiter;
    size_t i;

    put_text(exporter, "step");
    if (exporter->options->layout == GTR_EXPORT_LONG) {
        put_char(exporter, d);
        put_text(exporter, "module");
        put_char(exporter, d);
        put_text(exporter, what_names[exporter->options->what]);
        put_char(exporter, '\n');
        return;
    }
    if (exporter->loss) {
        put_char(exporter, d);
        put_text(exporter, "loss");
    }
    if (exporter->lr) {
        put_char(exporter, d);
        put_text(exporter, "lr");
    }
    for (i = 0; i < exporter->n_series; i++) {
        put_char(exporter, d);
        put_name(exporter, i);
    }
    put_char(exporter, '\n');
}

/* "17," as every row of a step begins. */
static size_t step_text(const struct exporter *exporter, const struct gtr_step *step, char text[32])
{
    return (size_t)snprintf(text, 32, "%lld%c", (long long)step->index, exporter->delimiter);
}

static void put_long(const struct exporter *exporter, const struct gtr_step *step)
{
    char text[32];
    size_t n = step_text(exporter, step, text), i;

    for (i = 0; i < exporter->n_series; i++) {
        put_bytes(exporter, text, n);
        put_name(exporter, i);
        put_char(exporter, exporter->delimiter);
        put_number(exporter, exporter->values[i]);
        put_char(exporter, '\n');
    }
}

/* Unknown: nothing. */
static void put_extra(const struct exporter *exporter, bool column, double value)
{
    if (!column)
        return;
    put_char(exporter, exporter->delimiter);
    if (!isnan(value))
        put_number(exporter, value);
}

static void put_wide(const struct exporter *exporter, const struct gtr_step *step)
{
    char text[32];
    size_t i;

    put_bytes(exporter, text, step_text(exporter, step, text) - 1);
    put_extra(exporter, exporter->loss, step->loss);
    put_extra(exporter, exporter->lr, step->lr);
    for (i = 0; i < exporter->n_series; i++) {
        put_char(exporter, exporter->delimiter);
        put_number(exporter, exporter->values[i]);
    }
    put_char(exporter, '\n');
}

static void put_object(const struct exporter *exporter, const struct gtr_step *step)
{
    char text[32];
    size_t i;

    put_text(exporter, "{\"step\": ");
    put_bytes(exporter, text, step_text(exporter, step, text) - 1);
    if (!isnan(step->loss)) {
        put_text(exporter, ", \"loss\": ");
        put_json_number(exporter, step->loss);
    }
    if (!isnan(step->lr)) {
        put_text(exporter, ", \"lr\": ");
        put_json_number(exporter, step->lr);
    }
    for (i = 0; i < exporter->n_series; i++) {
        put_text(exporter, ", ");
        put_name(exporter, i);
        put_text(exporter, ": ");
        put_json_number(exporter, exporter->values[i]);
    }
    put_text(exporter, "}\n");
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

static enum gtr_code put_event(const struct exporter *exporter, const struct gtr_step *step,
                               struct gtr_err *err)
{
    return gtr_tfevents_put_step(exporter->pen, step, exporter->names, exporter->values,
                                 exporter->n_series, err);
}

static enum gtr_code put_step(const struct exporter *exporter, const struct gtr_step *step,
                              struct gtr_err *err)
{
    if (exporter->options->format == GTR_EXPORT_TFEVENTS)
        return put_event(exporter, step, err);
    if (exporter->options->format == GTR_EXPORT_JSONL)
        put_object(exporter, step);
    else if (exporter->options->layout == GTR_EXPORT_WIDE)
        put_wide(exporter, step);
    else
        put_long(exporter, step);
    return GTR_OK;
}

static enum gtr_code write_steps(struct exporter *exporter, struct gtr_err *err)
{
    const struct gtr_step *steps = gtr_trace_steps(exporter->trace);
    enum gtr_code rc = GTR_OK;
    size_t t;

    if (exporter->options->format == GTR_EXPORT_TFEVENTS)
        rc = gtr_tfevents_put_head(exporter->pen, err);
    else if (exporter->options->format != GTR_EXPORT_JSONL)
        put_header(exporter);
    for (t = 0; rc == GTR_OK && t < gtr_trace_n_steps(exporter->trace); t++) {
        if (ferror(exporter->pen->f))
            break;
        rc = fill_values(exporter, t, err);
        if (rc == GTR_OK)
            rc = put_step(exporter, &steps[t], err);
    }
    gtr_pen_flush(exporter->pen);
    return rc;
}

enum gtr_code gtr_export_write(const struct gtr_trace *trace, const struct gtr_groups *groups,
                               const struct gtr_export_options *options, FILE *out,
                               struct gtr_err *err)
{
    struct exporter exporter = { .trace = trace, .groups = groups, .options = options };
    enum gtr_code rc;
    size_t i;

    exporter.n_tensors = gtr_trace_head(trace)->n_tensors;
    exporter.n_series = groups != NULL ? groups->n_groups : exporter.n_tensors;
    exporter.delimiter = options->format == GTR_EXPORT_TSV ? '\t' : ',';
    exporter.prefix = prefixes[options->what];
    look_at_steps(&exporter);
    rc = gtr_alloc_for(&exporter.pen, 1, sizeof *exporter.pen, "text", err);
    if (rc == GTR_OK)
        exporter.pen->f = out;
    if (rc == GTR_OK)
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
    gtr_free(exporter.lengths);
    gtr_free(exporter.pen);
    gtr_free(exporter.sumsq.rows);
    gtr_free(exporter.maxabs.rows);
    gtr_free(exporter.nonfinite.rows);
    gtr_free(exporter.values);
    return rc;
}
