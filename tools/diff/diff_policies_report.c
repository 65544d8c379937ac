/* diff_policies_report.c - two policies, told to people and to programs. */
#include <math.h>
#include <string.h>

#include "json_text.h"
#include "diff_policies.h"
#include "figure.h"
#include "spill_report.h"

enum { NAME_COLUMNS = 20 };

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

/* --- the headline -------------------------------------------------------------------------- */

static void put_headline(FILE *f, const struct diff_policies *found)
{
    const struct diff_pair *all = &found->all;
    const struct study *study = &found->study;
    const struct diff_place *worst = &found->worst[0];
    size_t at = worst->group * study->series->n_steps + worst->row;

    if (found->n_steps_apart == 0) {
        fprintf(f, "Both decide the same for every group at all %llu steps.\n\n",
                (unsigned long long)found->n_steps);
        return;
    }
    fprintf(
        f,
        "They differ at %llu of %llu steps.  Policy 1 clips %.1f%% of the decisions, policy 2 "
        "%.1f%%.\n"
        "Spikes, norms above %.3g times their group's average: %llu; policy 1 lets %llu of them "
        "through, policy 2 %llu.\n",
        (unsigned long long)found->n_steps_apart, (unsigned long long)found->n_steps,
        100 * share(all->clipped[0], all->n), 100 * share(all->clipped[1], all->n),
        found->options->kappa, (unsigned long long)all->n_spikes,
        (unsigned long long)all->n_through[0], (unsigned long long)all->n_through[1]);
    fprintf(f, "They are farthest apart at step %lld: there policy 1 scales ",
            (long long)study->series->index[worst->row]);
    figure_write_text(f, study->series->names[worst->group]);
    fprintf(f, " by %.3g, policy 2 by %.3g.\n\n", found->decisions[0]->scale[at],
            found->decisions[1]->scale[at]);
}

/* --- tables -------------------------------------------------------------------------------- */

static void put_row(FILE *f, const struct diff_policies *found, const char *name, int width,
                    const struct diff_pair *p)
{
    double n = (double)p->n;
    size_t i;

    fputs("  ", f);
    spill_put_name(f, name, width, false);
    for (i = 0; i < 2; i++)
        fprintf(f, " %6.1f%%", 100 * share(p->clipped[i], p->n));
    for (i = 0; i < 2; i++)
        fprintf(f, " %7.3f", p->n > 0 ? exp(p->log_sum[i] / n) : (double)NAN);
    fprintf(f, " %7.1f%% %8.3f", 100 * share(p->n_apart, p->n),
            p->n > 0 ? exp(p->apart_sum / n) : (double)NAN);
    if (p->farthest > 0.0)
        fprintf(f, " %8.3g %8lld", exp(p->farthest),
                (long long)found->study.series->index[p->farthest_row]);
    else
        fprintf(f, " %8s %8s", "-", "-");
    fprintf(f, " %5llu %5llu %5llu\n", (unsigned long long)p->n_spikes,
            (unsigned long long)p->n_through[0], (unsigned long long)p->n_through[1]);
}

static void put_table(FILE *f, const struct diff_policies *found)
{
    const struct gtr_series *series = found->study.series;
    size_t width = 6, j;

    for (j = 0; j < series->n_groups; j++)
        width = strlen(series->names[j]) > width ? strlen(series->names[j]) : width;
    width = width < NAME_COLUMNS ? width : NAME_COLUMNS;
    fprintf(f, "  %-*s %15s %15s %8s %8s %17s %17s\n", (int)width, "", "clipped ", "mean scale ",
            "scales", "factor", "farthest apart ", "spikes   through");
    fprintf(f, "  %-*s %7s %7s %7s %7s %8s %8s %8s %8s %5s %5s %5s\n", (int)width, "group", "1",
            "2", "1", "2", "differ", "between", "factor", "at step", "all", "1", "2");
    for (j = 0; j < series->n_groups; j++)
        put_row(f, found, series->names[j], (int)width, &found->group[j]);
    put_row(f, found, "(all)", (int)width, &found->all);
    fputs("  means of scales are geometric\n\n", f);
}

static void put_worst(FILE *f, const struct diff_policies *found)
{
    const struct gtr_series *series = found->study.series;
    size_t k;

    if (found->n_worst == 0)
        return;
    fputs("steps at which they are farthest apart\n", f);
    for (k = 0; k < found->n_worst; k++) {
        const struct diff_place *w = &found->worst[k];
        size_t at = w->group * series->n_steps + w->row;

        fprintf(f, "  step %lld: ", (long long)series->index[w->row]);
        figure_write_text(f, series->names[w->group]);
        fprintf(f, " (norm %.3g, of the whole %.3g): 1 scales by %.3g, 2 by %.3g\n",
                sqrt(series->sumsq[at]), series->total[w->row], found->decisions[0]->scale[at],
                found->decisions[1]->scale[at]);
    }
    fputs("`gradtrace explain` tells the story of one step.\n\n", f);
}

void diff_policies_report(FILE *f, const struct diff_policies *found)
{
    const struct gtr_series *series = found->study.series;
    size_t i;

    fprintf(f, "%s, steps %lld to %lld", gtr_trace_path(found->study.trace),
            (long long)found->window.first, (long long)found->window.last);
    if (found->options->n_windows > 0)
        fprintf(f, " of %lld to %lld", (long long)series->index[0],
                (long long)series->index[series->n_steps - 1]);
    fputc('\n', f);
    for (i = 0; i < 2; i++)
        fprintf(f, "%zu: %s\n", i + 1, gtr_setting_text(found->study.settings[i]));
    fputc('\n', f);
    put_headline(f, found);
    put_table(f, found);
    put_worst(f, found);
    if (found->options->n_windows == 0)
        fprintf(f,
                "direction kept, over the run: cosine with the recorded gradient 1: %.4f, 2: %.4f "
                "on average;\n%.4f and %.4f at least\n",
                found->reports[0]->cos_mean, found->reports[1]->cos_mean,
                found->reports[0]->cos_min, found->reports[1]->cos_min);
}

/* --- for programs -------------------------------------------------------------------------- */

static const char *const columns[] = {
    "decisions", "clip_rate_1", "clip_rate_2",   "raise_rate_1",  "raise_rate_2",
    "mean_ln_1", "mean_ln_2",   "differ",        "mean_abs_ln",   "farthest_ln",
    "at_step",   "spikes",      "spikes_kept_1", "spikes_kept_2",
};

enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static void values_of(const struct diff_policies *found, const struct diff_pair *p,
                      double values[N_COLUMNS])
{
    double n = (double)p->n;
    const double all[N_COLUMNS] = {
        n,
        share(p->clipped[0], p->n),
        share(p->clipped[1], p->n),
        share(p->raised[0], p->n),
        share(p->raised[1], p->n),
        p->log_sum[0] / n,
        p->log_sum[1] / n,
        share(p->n_apart, p->n),
        p->apart_sum / n,
        p->farthest,
        p->farthest > 0.0 ? (double)found->study.series->index[p->farthest_row] : (double)NAN,
        (double)p->n_spikes,
        (double)p->n_through[0],
        (double)p->n_through[1],
    };

    memcpy(values, all, sizeof all);
}

static const struct diff_pair *pair_of(const struct diff_policies *found, size_t j,
                                       const char **name)
{
    size_t n = found->study.series->n_groups;

    *name = j < n ? found->study.series->names[j] : "(all)";
    return j < n ? &found->group[j] : &found->all;
}

void diff_policies_tsv(FILE *f, const struct diff_policies *found)
{
    char text[GTR_NUMBER_SIZE];
    size_t j, i;

    fputs("group", f);
    for (i = 0; i < N_COLUMNS; i++)
        fprintf(f, "\t%s", columns[i]);
    fputc('\n', f);
    for (j = 0; j <= found->study.series->n_groups; j++) {
        double values[N_COLUMNS];
        const char *name;

        values_of(found, pair_of(found, j, &name), values);
        fputs(name, f);
        for (i = 0; i < N_COLUMNS; i++) {
            gtr_text_print(values[i], text);
            fprintf(f, "\t%s", text);
        }
        fputc('\n', f);
    }
}

static struct json_object *worst_of(const struct diff_policies *found)
{
    struct json_object *array = json_object_new_array();
    size_t k;

    for (k = 0; k < found->n_worst; k++) {
        const struct diff_place *w = &found->worst[k];
        size_t at = w->group * found->study.series->n_steps + w->row;
        struct json_object *row = json_object_new_object();

        json_add_integer(row, "step", found->study.series->index[w->row]);
        json_add_text(row, "group", found->study.series->names[w->group]);
        json_add_number(row, "scale_1", found->decisions[0]->scale[at]);
        json_add_number(row, "scale_2", found->decisions[1]->scale[at]);
        json_object_array_add(array, row);
    }
    return array;
}

enum gtr_code diff_policies_json(FILE *f, const struct diff_policies *found, struct gtr_err *err)
{
    struct json_object *all = json_object_new_object(), *groups = json_object_new_array();
    size_t j, i;

    json_add_text(all, "trace", gtr_trace_path(found->study.trace));
    json_add_text(all, "policy_1", gtr_setting_text(found->study.settings[0]));
    json_add_text(all, "policy_2", gtr_setting_text(found->study.settings[1]));
    json_add_integer(all, "first", found->window.first);
    json_add_integer(all, "last", found->window.last);
    json_add_integer(all, "steps", (int64_t)found->n_steps);
    json_add_integer(all, "steps_that_differ", (int64_t)found->n_steps_apart);
    for (j = 0; j <= found->study.series->n_groups; j++) {
        struct json_object *row = json_object_new_object();
        double values[N_COLUMNS];
        const char *name;

        values_of(found, pair_of(found, j, &name), values);
        json_add_text(row, "group", name);
        for (i = 0; i < N_COLUMNS; i++)
            json_add_number(row, columns[i], values[i]);
        json_object_array_add(groups, row);
    }
    json_object_object_add(all, "groups", groups);
    json_object_object_add(all, "farthest", worst_of(found));
    return json_write(f, all, err);
}
