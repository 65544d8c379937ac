/* diff_policies_report.c - two policies, for people: where they differ, and how far. */
#include <math.h>

#include "diff_found.h"
#include "tell.h"

enum { NAME_LEAST = 6, NAME_MOST = 20 };

/* --- the headline -------------------------------------------------------------------------- */

static void put_headline(FILE *f, const struct diff_policies *found)
{
    const struct diff_pair *all = &found->group[found->study.series->n_groups];
    const struct study *study = &found->study;
    const struct diff_place *worst = &found->worst[0];
    size_t at = worst->group * study->series->n_steps + worst->row;
    char a[TELL_SIZE], b[TELL_SIZE];

    if (found->n_steps_apart == 0) {
        fprintf(f, "Both decide the same for every group at all %llu steps.\n\n",
                (unsigned long long)found->n_steps);
        return;
    }
    fprintf(
        f,
        "They differ at %llu of %llu steps.  Policy 1 clips %s of the decisions, policy 2 %s.\n"
        "Spikes, norms above %.3g times their group's average: %llu; policy 1 lets %llu of them "
        "through, policy 2 %llu.\n",
        (unsigned long long)found->n_steps_apart, (unsigned long long)found->n_steps,
        tell_part(all->clipped[0], all->n, a), tell_part(all->clipped[1], all->n, b),
        found->options->baseline.kappa, (unsigned long long)all->n_spikes,
        (unsigned long long)all->n_through[0], (unsigned long long)all->n_through[1]);
    fprintf(f, "They are farthest apart at step %lld: there policy 1 scales ",
            (long long)study->series->index[worst->row]);
    tell_text(f, study->series->names[worst->group]);
    fprintf(f, " by %.3g, policy 2 by %.3g.\n\n", found->decisions[0]->scale[at],
            found->decisions[1]->scale[at]);
}

/* --- tables -------------------------------------------------------------------------------- */

static void put_row(FILE *f, const struct diff_policies *found, const struct diff_pair *p)
{
    double n = (double)p->n;
    char share[TELL_SIZE];
    size_t i;

    for (i = 0; i < 2; i++)
        fprintf(f, " %7s", tell_part(p->clipped[i], p->n, share));
    for (i = 0; i < 2; i++)
        fprintf(f, " %7.3f", p->n > 0 ? exp(p->log_sum[i] / n) : (double)NAN);
    fprintf(f, " %8s %8.3f", tell_part(p->n_apart, p->n, share),
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
    size_t n = found->study.series->n_groups + 1, j;
    struct tell_names names;

    tell_names_make(&names, found->names, n, NAME_LEAST, NAME_MOST);
    fprintf(f, "  %-*s %15s %15s %8s %8s %17s %17s\n", (int)names.width, "", "clipped ",
            "mean scale ", "scales", "factor", "farthest apart ", "spikes   through");
    fprintf(f, "  %-*s %7s %7s %7s %7s %8s %8s %8s %8s %5s %5s %5s\n", (int)names.width, "group",
            "1", "2", "1", "2", "differ", "between", "factor", "at step", "all", "1", "2");
    for (j = 0; j < n; j++) {
        fputs("  ", f);
        tell_name(f, &names, j);
        put_row(f, found, &found->group[j]);
    }
    tell_names_free(&names);
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
        tell_text(f, series->names[w->group]);
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

    tell_text(f, gtr_trace_path(found->study.trace));
    fprintf(f, ", steps %lld to %lld", (long long)found->window.first,
            (long long)found->window.last);
    if (found->options->n_windows > 0)
        fprintf(f, " of %lld to %lld", (long long)series->index[0],
                (long long)series->index[series->n_steps - 1]);
    fputc('\n', f);
    for (i = 0; i < 2; i++) {
        fprintf(f, "%zu: ", i + 1);
        tell_text(f, gtr_setting_text(found->study.settings[i]));
        fputc('\n', f);
    }
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
