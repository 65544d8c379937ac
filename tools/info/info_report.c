/* info_trace.c - one trace: what it says about itself, its steps, its meta. */
#include "info.h"

#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LABEL_WIDTH = 14, SHOWN_STEPS = 8 };

void info_put_text(FILE *f, const char *text)
{
    for (; *text != '\0'; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, f);
}

static void label(FILE *f, const char *text)
{
    fprintf(f, "%-*s", LABEL_WIDTH, text);
}

static void put_fact(FILE *f, const char *name, const char *text)
{
    label(f, name);
    info_put_text(f, text != NULL && *text != '\0' ? text : "not recorded");
    fputc('\n', f);
}

/* 4718592 as "4,718,592". */
static void put_count(FILE *f, uint64_t count)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), i;

    for (i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            fputc(',', f);
        fputc(digits[i], f);
    }
}

/* --- the file --------------------------------------------------------------------------------- */

static void put_gradients(FILE *f, const struct gtr_head *head)
{
    label(f, "gradients");
    if (strcmp(head->grad_state, "post-clip") == 0)
        fputs("post-clip: recorded after the run had clipped them, so a replay shows what a\n"
              "              second clipping would do, not what the first one did\n",
              f);
    else if (strcmp(head->grad_state, "pre-clip") == 0)
        fputs("pre-clip: as they came out of the backward pass\n", f);
    else
        fputs("unknown: the recorder was not told whether they had been clipped already\n", f);
}

static void put_tensors(FILE *f, const struct gtr_head *head)
{
    uint64_t elements = 0;
    size_t counts[GTR_DTYPE_COUNT] = { 0 }, i;

    for (i = 0; i < head->n_tensors; i++) {
        elements += head->tensors[i].numel;
        counts[head->tensors[i].dtype]++;
    }
    label(f, "tensors");
    fprintf(f, "%zu, ", head->n_tensors);
    put_count(f, elements);
    fputs(" elements", f);
    for (i = 0; i < GTR_DTYPE_COUNT; i++)
        if (counts[i] == head->n_tensors && counts[i] > 0)
            fprintf(f, ", %s", gtr_dtype_name((enum gtr_dtype)i));
        else if (counts[i] > 0)
            fprintf(f, ", %zu in %s", counts[i], gtr_dtype_name((enum gtr_dtype)i));
    fputc('\n', f);
}

/* What one capture holds of all tensors. */
struct captures {
    size_t n_tensors, n_sampled;
    uint64_t elements, bytes;
    struct gtr_captured sample; /* of the last that is one */
    bool differ;                /* the samples are not of one kind */
};

static enum gtr_code add_captured(const struct gtr_trace *trace, size_t tensor,
                                  struct captures *sum, struct gtr_err *err)
{
    struct gtr_captured one;
    enum gtr_code rc = gtr_trace_captured(trace, tensor, &one, err);

    if (rc != GTR_OK || one.n == 0)
        return rc;
    sum->n_tensors++;
    sum->elements += one.n;
    sum->bytes += one.n * gtr_dtype_size(gtr_trace_head(trace)->tensors[tensor].dtype);
    if (!one.sampled)
        return GTR_OK;
    sum->differ = sum->differ || (sum->n_sampled > 0 && (one.block != sum->sample.block ||
                                                         one.fraction != sum->sample.fraction ||
                                                         one.seed != sum->sample.seed));
    sum->sample = one;
    sum->n_sampled++;
    return GTR_OK;
}

static void put_sampling(FILE *f, const struct captures *sum)
{
    char fraction[GTR_NUMBER_SIZE];

    if (sum->n_sampled == 0) {
        fputs("full: ", f);
    } else if (sum->differ || sum->n_sampled < sum->n_tensors) {
        fprintf(f, "samples of %zu tensors that differ: ", sum->n_sampled);
    } else {
        gtr_text_print(sum->sample.fraction, fraction);
        fprintf(f, "blocks of %lld, fraction %s, seed %lld: ", (long long)sum->sample.block,
                fraction, (long long)sum->sample.seed);
    }
}

/* "at 100 steps, every 10 from 0 to 990", or without "every 10" if the gaps differ. */
static void put_capture_steps(FILE *f, const struct gtr_trace *trace)
{
    const struct gtr_step *steps = gtr_trace_steps(trace);
    const int64_t *rows = gtr_trace_capture_rows(trace);
    size_t n = gtr_trace_n_captures(trace), i;
    int64_t first = steps[rows[0]].index, last = steps[rows[n - 1]].index;
    uint64_t every = n > 1 ? (uint64_t)steps[rows[1]].index - (uint64_t)first : 1;

    for (i = 1; i < n; i++)
        if ((uint64_t)steps[rows[i]].index - (uint64_t)steps[rows[i - 1]].index != every)
            every = 0;
    if (n == 1)
        fprintf(f, "at 1 step, %lld", (long long)first);
    else if (every == 1)
        fprintf(f, "at %zu steps, all from %lld to %lld", n, (long long)first, (long long)last);
    else if (every > 0)
        fprintf(f, "at %zu steps, every %llu from %lld to %lld", n, (unsigned long long)every,
                (long long)first, (long long)last);
    else
        fprintf(f, "at %zu steps from %lld to %lld, not evenly spaced", n, (long long)first,
                (long long)last);
}

static void put_dropped(FILE *f, const struct gtr_trace *trace)
{
    uint64_t n = gtr_trace_n_dropped(trace);

    if (n == 0)
        return;
    label(f, "");
    fprintf(f, "%llu more captures were dropped: the recorder's queue was full\n",
            (unsigned long long)n);
}

static enum gtr_code put_captures(FILE *f, const struct gtr_trace *trace, struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    size_t n = gtr_trace_n_captures(trace), i;
    struct captures sum = { 0 };
    enum gtr_code rc;

    for (i = 0; i < head->n_tensors; i++) {
        rc = add_captured(trace, i, &sum, err);
        if (rc != GTR_OK)
            return rc;
    }
    label(f, "elements");
    if (n == 0 || sum.elements == 0) {
        fputs("none captured; the trace holds norms only\n", f);
        put_dropped(f, trace);
        return GTR_OK;
    }
    put_sampling(f, &sum);
    put_count(f, sum.elements);
    fprintf(f, " elements of %zu tensors\n", sum.n_tensors);
    label(f, "");
    put_capture_steps(f, trace);
    fprintf(f, ", %.4g MB before compression\n", (double)sum.bytes * (double)n / 1e6);
    put_dropped(f, trace);
    return GTR_OK;
}

/* A trace that `gradtrace simulate` made up says so in its meta. */
static void put_synthetic(FILE *f, const struct gtr_head *head)
{
    struct json_object *meta = json_tokener_parse(head->meta), *simulated, *scenario, *seed;

    if (json_object_object_get_ex(meta, "simulated", &simulated) &&
        json_object_object_get_ex(simulated, "scenario", &scenario) &&
        json_object_object_get_ex(simulated, "seed", &seed)) {
        label(f, "synthetic");
        fputs("made up, not recorded: scenario ", f);
        info_put_text(f, json_object_get_string(scenario));
        fprintf(f, ", seed %lld; --meta tells what was planted\n",
                (long long)json_object_get_int64(seed));
    }
    json_object_put(meta);
}

static void put_file(FILE *f, const struct study *study)
{
    const struct gtr_head *head = gtr_trace_head(study->trace);

    put_fact(f, "trace", gtr_trace_path(study->trace));
    label(f, "format");
    fprintf(f, "gradtrace version %d\n", GTR_FORMAT_VERSION);
    put_fact(f, "producer", head->producer);
    put_fact(f, "created", head->created);
    put_synthetic(f, head);
    put_gradients(f, head);
    label(f, "ranks");
    fprintf(f, "rank %lld of %lld, reduction ", (long long)head->rank, (long long)head->world_size);
    info_put_text(f, head->reduction);
    fputc('\n', f);
    put_tensors(f, head);
    put_fact(f, "grouped by", head->group_by != NULL ? head->group_by : "module (the default)");
}

/* --- the run ---------------------------------------------------------------------------------- */

static void put_steps(FILE *f, const struct study *study)
{
    const struct gtr_step *steps = gtr_trace_steps(study->trace);
    const struct gtr_head *head = gtr_trace_head(study->trace);
    size_t n = gtr_trace_n_steps(study->trace), skipped = 0, i;

    label(f, "steps");
    fprintf(f, "%zu", n);
    if (n > 0)
        fprintf(f, ", numbered %lld to %lld", (long long)steps[0].index,
                (long long)steps[n - 1].index);
    if (head->total_steps > 0)
        fprintf(f, "; the run was planned for %lld", (long long)head->total_steps);
    else
        fputs("; the planned length is unknown: schedules stay at their start", f);
    fputc('\n', f);
    for (i = 0; i < n; i++)
        skipped += steps[i].skipped;
    if (skipped > 0) {
        label(f, "");
        fprintf(f, "the run left out %zu updates\n", skipped);
    }
}

/* One number of a step; NaN: not known. */
static double loss_of(const struct gtr_step *step)
{
    return step->loss;
}

static double lr_of(const struct gtr_step *step)
{
    return step->lr;
}

static double time_of(const struct gtr_step *step)
{
    return step->time;
}

static double scale_of(const struct gtr_step *step)
{
    return step->applied_scale;
}

struct range {
    double first, last, min, max;
    size_t n; /* known values */
};

static struct range range_of(const struct study *study, double (*value_of)(const struct gtr_step *))
{
    const struct gtr_step *steps = gtr_trace_steps(study->trace);
    struct range range = { NAN, NAN, NAN, NAN, 0 };
    size_t i;

    for (i = 0; i < gtr_trace_n_steps(study->trace); i++) {
        double value = value_of(&steps[i]);

        if (isnan(value))
            continue;
        if (range.n++ == 0)
            range.first = range.min = range.max = value;
        range.last = value;
        range.min = value < range.min ? value : range.min;
        range.max = value > range.max ? value : range.max;
    }
    return range;
}

static void put_progress(FILE *f, const struct study *study)
{
    struct range loss = range_of(study, loss_of), lr = range_of(study, lr_of);
    struct range seconds = range_of(study, time_of);

    label(f, "time");
    if (seconds.n > 1)
        fprintf(f, "%.4g s, %.4g s a step\n", seconds.last - seconds.first,
                (seconds.last - seconds.first) / (double)(seconds.n - 1));
    else
        fputs("not recorded\n", f);
    label(f, "loss");
    if (loss.n > 0)
        fprintf(f, "%.4g at first, %.4g at last, %.4g at least\n", loss.first, loss.last, loss.min);
    else
        fputs("not recorded\n", f);
    label(f, "learning rate");
    if (lr.n > 0)
        fprintf(f, "from %.4g to %.4g, %.4g at last\n", lr.min, lr.max, lr.last);
    else
        fputs("not recorded\n", f);
}

static void put_clipping(FILE *f, const struct study *study)
{
    const struct gtr_step *steps = gtr_trace_steps(study->trace);
    struct range scale = range_of(study, scale_of);
    size_t clipped = 0, i;

    label(f, "clipping");
    if (scale.n == 0) {
        fputs("not recorded\n", f);
        return;
    }
    for (i = 0; i < gtr_trace_n_steps(study->trace); i++)
        clipped += steps[i].applied_scale < 1.0;
    fprintf(f, "the run itself scaled %zu of %zu steps down", clipped, scale.n);
    if (clipped > 0)
        fprintf(f, ", to %.4g at least", scale.min);
    fputc('\n', f);
}

static enum gtr_code put_norms(FILE *f, const struct study *study, struct gtr_err *err)
{
    const struct gtr_series *series = study->series;
    struct gtr_norm_summary *norms;
    size_t largest = series->n_steps, t;
    enum gtr_code rc;

    rc = gtr_norm_summaries_new(study->replay, &norms, err);
    if (rc != GTR_OK)
        return rc;
    for (t = 0; t < series->n_steps; t++)
        if (!series->nonfinite[t] &&
            (largest == series->n_steps || series->total[t] > series->total[largest]))
            largest = t;
    label(f, "global norm");
    if (largest < series->n_steps)
        fprintf(f, "median %.4g, 99th percentile %.4g, largest %.4g at step %lld\n",
                norms[series->n_groups].p50, norms[series->n_groups].p99, series->total[largest],
                (long long)series->index[largest]);
    else
        fputs("no finite step\n", f);
    gtr_free(norms);
    return GTR_OK;
}

static void put_nonfinite(FILE *f, const struct study *study)
{
    const struct gtr_series *series = study->series;
    size_t shown = 0, t;

    label(f, "non-finite");
    if (!gtr_trace_has(study->trace, GTR_NONFINITE) && series->n_nonfinite == 0) {
        fputs("no steps\n", f);
        return;
    }
    fprintf(f, "%zu step%s", series->n_nonfinite, series->n_nonfinite == 1 ? "" : "s");
    for (t = 0; t < series->n_steps && shown < SHOWN_STEPS; t++)
        if (series->nonfinite[t])
            fprintf(f, "%s%lld", shown++ == 0 ? ": " : ", ", (long long)series->index[t]);
    fputs(shown < series->n_nonfinite ? ", ...\n" : "\n", f);
}

static void put_meta(FILE *f, const struct gtr_head *head)
{
    struct json_object *meta = json_tokener_parse(head->meta);

    label(f, "meta");
    if (json_object_is_type(meta, json_type_object) && json_object_object_length(meta) > 0)
        fprintf(f, "%d entries; --meta prints them\n", json_object_object_length(meta));
    else
        fputs(meta != NULL ? "none\n" : "not JSON\n", f);
    json_object_put(meta);
}

/* What a folder is made of; a file is what it is. */
static void put_folder(FILE *f, const struct gtr_trace *trace)
{
    struct gtr_trace_folder folder;

    if (!gtr_trace_is_folder(trace, &folder))
        return;
    label(f, "folder");
    fprintf(f, "%zu %s", folder.n_segments, folder.n_segments == 1 ? "segment" : "segments");
    if (folder.n_journal_rows > 0)
        fprintf(f, "; %zu %s only in the journal%s", folder.n_journal_rows,
                folder.n_journal_rows == 1 ? "step" : "steps",
                gtr_trace_head(trace)->stopped != NULL
                    ? ""
                    : ": the recorder runs still, or was killed");
    if (folder.n_left > 0)
        fprintf(f, "; %zu never closed", folder.n_left);
    fputc('\n', f);
}

/* A trace that ends before its run did. */
static void put_stopped(FILE *f, const struct gtr_head *head)
{
    if (head->stopped == NULL)
        return;
    label(f, "incomplete");
    fprintf(f, "the recording stopped, and the run went on: %s\n", head->stopped);
}

enum gtr_code info_overview(FILE *f, const struct study *study, struct gtr_err *err)
{
    enum gtr_code rc;

    put_file(f, study);
    put_folder(f, study->trace);
    put_stopped(f, gtr_trace_head(study->trace));
    put_steps(f, study);
    put_progress(f, study);
    rc = put_norms(f, study, err);
    if (rc != GTR_OK)
        return rc;
    put_nonfinite(f, study);
    put_clipping(f, study);
    rc = put_captures(f, study->trace, err);
    if (rc != GTR_OK)
        return rc;
    label(f, "weights");
    fputs(gtr_trace_has(study->trace, GTR_PARAM_SUMSQ) ? "their norms are recorded as well\n"
                                                       : "their norms are not recorded\n",
          f);
    put_meta(f, gtr_trace_head(study->trace));
    return GTR_OK;
}

/* --- the other views -------------------------------------------------------------------------- */

void info_steps(FILE *f, const struct study *study)
{
    const struct gtr_step *steps = gtr_trace_steps(study->trace);
    const struct gtr_series *series = study->series;
    size_t t, i;

    fputs("step\tloss\tlr\ttime\tnorm\tapplied_scale\tskipped\tnonfinite\n", f);
    for (t = 0; t < series->n_steps; t++) {
        const double numbers[] = { steps[t].loss, steps[t].lr, steps[t].time, series->total[t],
                                   steps[t].applied_scale };

        fprintf(f, "%lld", (long long)steps[t].index);
        for (i = 0; i < GTR_ARRAY_LEN(numbers); i++) {
            char text[GTR_NUMBER_SIZE];

            gtr_text_print(numbers[i], text);
            fprintf(f, "\t%s", text);
        }
        fprintf(f, "\t%d\t%d\n", steps[t].skipped, series->nonfinite[t]);
    }
}

enum gtr_code info_meta(FILE *f, const struct study *study, struct gtr_err *err)
{
    struct json_object *meta = json_tokener_parse(gtr_trace_head(study->trace)->meta);
    int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;

    if (meta == NULL)
        return gtr_fail(err, GTR_EFORMAT, "%.150s: attribute meta is not JSON",
                        gtr_trace_path(study->trace));
    fprintf(f, "%s\n", json_object_to_json_string_ext(meta, flags));
    json_object_put(meta);
    return GTR_OK;
}
