/* info_report.c - one trace, for people: what it says about itself, its steps, its groups, its
 * meta. */
#include <math.h>
#include <string.h>

#include "info_found.h"
#include "json_text.h"
#include "tell.h"

enum { LABEL_WIDTH = 14, SHOWN_STEPS = 8, NAME_LEAST = 8, NAME_MOST = 40 };

static void label(FILE *f, const char *text)
{
    fprintf(f, "%-*s", LABEL_WIDTH, text);
}

static void put_fact(FILE *f, const char *name, const char *text)
{
    label(f, name);
    tell_text(f, text != NULL && *text != '\0' ? text : "not recorded");
    fputc('\n', f);
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

static void put_tensors(FILE *f, const struct info_found *found)
{
    size_t counts[GTR_DTYPE_COUNT] = { 0 }, n = found->head->n_tensors, i;
    char elements[TELL_SIZE];

    for (i = 0; i < n; i++)
        counts[found->head->tensors[i].dtype]++;
    label(f, "tensors");
    fprintf(f, "%zu, %s elements", n, tell_count(found->n_elements, elements));
    for (i = 0; i < GTR_DTYPE_COUNT; i++)
        if (counts[i] == n && counts[i] > 0)
            fprintf(f, ", %s", gtr_dtype_name((enum gtr_dtype)i));
        else if (counts[i] > 0)
            fprintf(f, ", %zu in %s", counts[i], gtr_dtype_name((enum gtr_dtype)i));
    fputc('\n', f);
}

static void put_sampling(FILE *f, const struct info_captures *sum)
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
    fprintf(f, "%llu more captures were dropped: %s\n", (unsigned long long)n,
            gtr_trace_head(trace)->elements_stopped != NULL ? "the disk had no room for them"
                                                            : "the recorder's queue was full");
}

static void put_elements_stopped(FILE *f, const struct gtr_head *head)
{
    if (head->elements_stopped == NULL)
        return;
    label(f, "");
    fputs("elements end before the norms do: ", f);
    tell_text(f, head->elements_stopped);
    fputc('\n', f);
}

static void put_captures(FILE *f, const struct info_found *found)
{
    const struct info_captures *sum = &found->captures;
    size_t n = gtr_trace_n_captures(found->study->trace);
    char elements[TELL_SIZE];

    label(f, "elements");
    if (n == 0 || sum->elements == 0) {
        fputs("none captured; the trace holds norms only\n", f);
        put_dropped(f, found->study->trace);
        put_elements_stopped(f, found->head);
        return;
    }
    put_sampling(f, sum);
    fprintf(f, "%s elements of %zu tensors\n", tell_count(sum->elements, elements), sum->n_tensors);
    label(f, "");
    put_capture_steps(f, found->study->trace);
    fprintf(f, ", %.4g MB before compression\n", (double)sum->bytes * (double)n / 1e6);
    put_dropped(f, found->study->trace);
    put_elements_stopped(f, found->head);
}

/* A trace that `gradtrace simulate` made up says so in its meta. */
static void put_synthetic(FILE *f, const struct info_found *found)
{
    if (found->scenario == NULL)
        return;
    label(f, "synthetic");
    fputs("made up, not recorded: scenario ", f);
    tell_text(f, json_object_get_string(found->scenario));
    fprintf(f, ", seed %lld; --meta tells what was planted\n", (long long)found->seed);
}

static void put_file(FILE *f, const struct info_found *found)
{
    const struct gtr_head *head = found->head;

    put_fact(f, "trace", gtr_trace_path(found->study->trace));
    label(f, "format");
    fprintf(f, "gradtrace version %d\n", GTR_FORMAT_VERSION);
    put_fact(f, "producer", head->producer);
    put_fact(f, "created", head->created);
    put_synthetic(f, found);
    put_gradients(f, head);
    label(f, "ranks");
    fprintf(f, "rank %lld of %lld, reduction ", (long long)head->rank, (long long)head->world_size);
    tell_text(f, head->reduction);
    fputc('\n', f);
    put_tensors(f, found);
    put_fact(f, "grouped by", head->group_by != NULL ? head->group_by : "module (the default)");
}

/* --- the run ---------------------------------------------------------------------------------- */

static void put_steps(FILE *f, const struct info_found *found)
{
    const struct gtr_step *steps = gtr_trace_steps(found->study->trace);
    size_t n = gtr_trace_n_steps(found->study->trace);

    label(f, gtr_steps_stride(steps, n) > 1 ? "rows" : "steps");
    fprintf(f, "%zu", n);
    if (n > 0)
        fprintf(f, ", numbered %lld to %lld", (long long)steps[0].index,
                (long long)steps[n - 1].index);
    if (gtr_steps_stride(steps, n) > 1)
        fprintf(f, ", one row in %lld steps", (long long)gtr_steps_stride(steps, n));
    if (found->head->total_steps_from != NULL)
        fputs("; the run told no plan and ended by itself: these are taken for it", f);
    else if (found->head->total_steps > 0)
        fprintf(f, "; the run was planned for %lld", (long long)found->head->total_steps);
    else
        fputs("; the planned length is unknown: schedules stay at their start", f);
    fputc('\n', f);
    if (found->n_left_out == 0)
        return;
    label(f, "");
    fprintf(f, "the run left out %zu updates\n", found->n_left_out);
}

static void put_progress(FILE *f, const struct info_found *found)
{
    const struct info_range *loss = &found->loss, *lr = &found->lr, *time = &found->time;

    label(f, "time");
    if (time->n > 1)
        fprintf(f, "%.4g s, %.4g s a step\n", time->last - time->first,
                (time->last - time->first) / (double)(time->n - 1));
    else
        fputs("not recorded\n", f);
    label(f, "loss");
    if (loss->n > 0)
        fprintf(f, "%.4g at first, %.4g at last, %.4g at least\n", loss->first, loss->last,
                loss->min);
    else
        fputs("not recorded\n", f);
    label(f, "learning rate");
    if (lr->n > 0)
        fprintf(f, "from %.4g to %.4g, %.4g at last\n", lr->min, lr->max, lr->last);
    else
        fputs("not recorded\n", f);
}

static void put_clipping(FILE *f, const struct info_found *found)
{
    label(f, "clipping");
    if (found->scale.n == 0) {
        fputs("not recorded\n", f);
        return;
    }
    fprintf(f, "the run itself scaled %zu of %zu steps down", found->n_clipped, found->scale.n);
    if (found->n_clipped > 0)
        fprintf(f, ", to %.4g at least", found->scale.min);
    fputc('\n', f);
}

static void put_norms(FILE *f, const struct info_found *found)
{
    const struct gtr_series *series = found->study->series;
    const struct gtr_norm_summary *whole = &found->norms[series->n_groups];

    label(f, "global norm");
    if (found->largest < series->n_steps)
        fprintf(f, "median %.4g, 99th percentile %.4g, largest %.4g at step %lld\n", whole->p50,
                whole->p99, series->total[found->largest],
                (long long)series->index[found->largest]);
    else
        fputs("no finite step\n", f);
    if (found->n_rest == 0)
        return;
    label(f, "");
    fprintf(f, "at %zu step%s it counts parameters that came later and have no series here\n",
            found->n_rest, tell_s(found->n_rest));
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
    fprintf(f, "%zu step%s", series->n_nonfinite, tell_s(series->n_nonfinite));
    for (t = 0; t < series->n_steps && shown < SHOWN_STEPS; t++)
        if (series->nonfinite[t])
            fprintf(f, "%s%lld", shown++ == 0 ? ": " : ", ", (long long)series->index[t]);
    fputs(shown < series->n_nonfinite ? ", ...\n" : "\n", f);
}

static void put_meta(FILE *f, const struct json_object *meta)
{
    int n = json_object_is_type(meta, json_type_object) ? json_object_object_length(meta) : 0;

    label(f, "meta");
    if (n > 0)
        fprintf(f, "%d entries; --meta prints them\n", n);
    else
        fputs(meta != NULL ? "none\n" : "not JSON\n", f);
}

/* What a folder is made of; a file is what it is. */
static void put_folder(FILE *f, const struct gtr_trace *trace)
{
    struct gtr_trace_folder folder;

    if (!gtr_trace_is_folder(trace, &folder))
        return;
    label(f, "folder");
    fprintf(f, "%zu segment%s", folder.n_segments, tell_s(folder.n_segments));
    if (folder.n_journal_rows > 0)
        fprintf(f, "; %zu step%s only in the journal%s", folder.n_journal_rows,
                tell_s(folder.n_journal_rows),
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
    fputs("the recording stopped, and the run went on: ", f);
    tell_text(f, head->stopped);
    fputc('\n', f);
}

void info_report(FILE *f, const struct info_found *found)
{
    put_file(f, found);
    put_folder(f, found->study->trace);
    put_stopped(f, found->head);
    put_steps(f, found);
    put_progress(f, found);
    put_norms(f, found);
    put_nonfinite(f, found->study);
    put_clipping(f, found);
    put_captures(f, found);
    label(f, "weights");
    fputs(gtr_trace_has(found->study->trace, GTR_PARAM_SUMSQ) ? "their norms are recorded as well\n"
                                                              : "their norms are not recorded\n",
          f);
    put_meta(f, found->meta);
}

/* --- the other views -------------------------------------------------------------------------- */

static void put_norm(FILE *f, double norm)
{
    if (isnan(norm))
        fprintf(f, " %11s", "-");
    else
        fprintf(f, " %11.4g", norm);
}

/* The tensors are not told of a group that is one, by its whole name. */
static void put_group(FILE *f, const struct info_found *found, size_t j, const char *name)
{
    const struct gtr_tensor *tensors = found->head->tensors;
    const struct info_group *group = &found->groups[j];
    bool alone = group->n_tensors == 1 && strcmp(name, tensors[group->first[0]].name) == 0;
    size_t n_shown = alone ? 0 : group->n_tensors, i;
    char share[TELL_SIZE];

    fprintf(f, " %7zu %14llu %7s", group->n_tensors, (unsigned long long)group->n_elements,
            tell_share(group->share, share));
    put_norm(f, found->norms[j].p50);
    put_norm(f, group->max);
    for (i = 0; i < n_shown && i < INFO_TENSORS; i++) {
        fputs(i == 0 ? "  " : ", ", f);
        tell_text(f, tensors[group->first[i]].name);
    }
    fputs(n_shown > INFO_TENSORS ? ", ...\n" : "\n", f);
}

void info_groups(FILE *f, const struct info_found *found)
{
    const struct gtr_groups *groups = found->study->groups;
    struct tell_names names;
    size_t j;

    tell_names_make(&names, (const char *const *)groups->names, groups->n_groups, NAME_LEAST,
                    NAME_MOST);
    fprintf(f, "%-*s %7s %14s %7s %11s %11s  %s\n", (int)names.width, "group", "tensors",
            "elements", "energy", "median norm", "largest", "tensors, the first");
    for (j = 0; j < groups->n_groups; j++) {
        tell_name(f, &names, j);
        put_group(f, found, j, tell_name_text(&names, j));
    }
    tell_names_free(&names);
    fprintf(f, "\n%zu group%s by the rule ", groups->n_groups, tell_s(groups->n_groups));
    tell_text(f, groups->rule);
    fputs("; energy: share of the sum of squares of all steps", f);
    if (groups->left_out < groups->n_groups)
        fputs(";\nthe rule leaves the group - out of clipping", f);
    fputc('\n', f);
}

enum gtr_code info_meta(FILE *f, const struct study *study, struct gtr_err *err)
{
    struct json_object *meta = json_tokener_parse(gtr_trace_head(study->trace)->meta);

    if (meta == NULL)
        return gtr_fail(err, GTR_EFORMAT, "%.150s: attribute meta is not JSON",
                        gtr_trace_path(study->trace));
    return json_write(f, meta, err);
}
