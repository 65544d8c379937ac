/* update_tables.c - sentences first, then columns, at most 100 characters wide. */
#include "update_tables.h"

#include <math.h>
#include <string.h>

enum { NAME_LEAST = 8, NAME_MOST = 24, LABEL_MOST = 34 };

/* Widths differ with what is known: which columns there are. */
struct layout {
    bool exact;   /* elements were captured */
    bool sampled; /* of a part of them */
    int width;    /* of the first column */
};

/* --- numbers ------------------------------------------------------------------------------- */

/* "0.314%", "52.7%", "1234%".  Rounding in fp32 moves an update by some hundred-thousandths of a
 * percent: below a thousandth nothing was meant. */
static const char *percent(double share, char text[16])
{
    double value = 100.0 * share;

    if (value > 0.0 && value < 0.001)
        return "<0.001%";
    snprintf(text, 16, value < 0.01 ? "%.2g%%" : value < 999.5 ? "%.3g%%" : "%.0f%%", value);
    return text;
}

/* "-" for never: a table of zeros hides the rows that matter; "." for unknown. */
static void put_share(FILE *f, double share)
{
    char text[16];

    fprintf(f, " %7s", isnan(share) ? "." : share == 0.0 ? "-" : percent(share, text));
}

static void put_direction(FILE *f, double value)
{
    if (isnan(value))
        fprintf(f, " %7s", ".");
    else
        fprintf(f, " %7.4f", value);
}

static double rate(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* --- columns ------------------------------------------------------------------------------- */

static void put_headings(FILE *f, const struct layout *layout, const char *first)
{
    fprintf(f, "  %-*s %7s %*s", layout->width, "", "steps", layout->sampled ? 47 : 39,
            layout->exact ? "change of the update" : "change of the update, by norms");
    fprintf(f, layout->exact ? " %7s %15s %7s\n" : "\n", "rms by", "direction kept", "size");
    fprintf(f, "  %-*s %7s %7s", layout->width, first, "clipped", "median");
    if (layout->sampled)
        fprintf(f, " %7s", "+-");
    fprintf(f, " %7s %7s %7s %7s", "p90", "max", "at step", "rms");
    fprintf(f, layout->exact ? " %7s %7s %7s %7s\n" : "\n", "norms", "mean", "least", "median");
}

static void put_row(FILE *f, const struct layout *layout, const char *name,
                    const struct update_summary *s)
{
    fprintf(f, "  %-*.*s", layout->width, layout->width, name);
    put_share(f, rate(s->n_clipped, s->n));
    put_share(f, s->change_p50);
    if (layout->sampled)
        put_share(f, s->change_se);
    put_share(f, s->change_p90);
    put_share(f, s->change_max);
    if (s->change_max > 0.0)
        fprintf(f, " %7lld", (long long)s->max_step);
    else
        fprintf(f, " %7s", "-");
    put_share(f, s->change_rms);
    if (layout->exact) {
        put_share(f, s->hinted_rms);
        put_direction(f, s->cosine_mean);
        put_direction(f, s->cosine_min);
        put_direction(f, s->ratio_p50);
    }
    fputc('\n', f);
}

static int widest(const char *const *names, size_t n, size_t most)
{
    size_t width = NAME_LEAST, i;

    for (i = 0; i < n; i++)
        if (strlen(names[i]) > width)
            width = strlen(names[i]);
    return (int)(width < most ? width : most);
}

/* --- one policy ---------------------------------------------------------------------------- */

/* "... clips 76% of steps and changes the AdamW update by 0.3%". */
static void put_sentence(FILE *f, const struct update_found *found, size_t policy,
                         const struct update_summary *whole)
{
    const char *setting = gtr_setting_text(found->study->settings[policy]);
    char clipped[16], raised[16], median[16], most[16];

    if (whole->n == 0 || isnan(whole->change_max)) {
        fprintf(f, "%s has no step to be judged by\n", setting);
        return;
    }
    fprintf(f, "%s clips %s", setting, percent(rate(whole->n_clipped, whole->n), clipped));
    if (whole->n_raised > 0)
        fprintf(f, " and raises %s", percent(rate(whole->n_raised, whole->n), raised));
    fputs(" of steps and ", f);
    if (whole->change_max == 0.0) {
        fprintf(f, "leaves the %s update as it is\n", update_optimizer_name(found));
        return;
    }
    fprintf(f, "%s the %s update by %s\n", found->update != NULL ? "changes" : "may change",
            update_optimizer_name(found), percent(whole->change_p50, median));
    fprintf(f, "  (median over %zu %s; %s at the worst, step %lld)\n", whole->n_changes,
            whole->n_changes == 1 ? "step" : "steps", percent(whole->change_max, most),
            (long long)whole->max_step);
}

static void put_policy(FILE *f, const struct update_found *found, size_t policy,
                       const struct layout *layout, const struct update_summary *summaries)
{
    const struct gtr_series *series = found->study->series;
    size_t g;

    put_sentence(f, found, policy, &summaries[found->n_groups]);
    fputc('\n', f);
    if (!(summaries[found->n_groups].change_max > 0.0))
        return; /* a table of nothing */
    put_headings(f, layout, "group");
    for (g = 0; g < found->n_groups; g++)
        put_row(f, layout, series->names[g], &summaries[g]);
    put_row(f, layout, "(all)", &summaries[found->n_groups]);
    fputc('\n', f);
}

/* --- what was simulated -------------------------------------------------------------------- */

static bool has_gaps(const struct gtr_update *update)
{
    size_t n = update->n_rows;

    return n > 0 && (size_t)(update->row[n - 1] - update->row[0]) + 1 != n;
}

/* What a simulation that starts in the middle of a run, or leaps, means for the moments. */
static void put_start(FILE *f, const struct update_found *found)
{
    const struct gtr_series *series = found->study->series;
    double memory = update_memory(found);

    if (has_gaps(found->update))
        fputs("steps between the captured ones are missing: the optimizer is simulated as if there "
              "had been none\n",
              f);
    if (!found->from_start && memory > 0.0)
        fprintf(f,
                "captured from step %lld on: the simulated optimizer starts there with nothing "
                "remembered, while\nthe run's own remembered about %.0f steps\n",
                (long long)series->index[update_row(found, 0)], memory);
}

static void put_title(FILE *f, const struct update_found *found)
{
    const struct study *study = found->study;
    const struct gtr_update *update = found->update;
    char optimizer[160], share[16];

    fprintf(f, "%s: %zu of %zu steps with elements, in %zu groups (%s)\n",
            gtr_trace_path(study->trace), update != NULL ? update->n_rows : 0,
            study->series->n_steps, study->groups->n_groups, study->groups->rule);
    fprintf(f, "optimizer %s (%s)\n",
            gtr_optimizer_print(&found->optimizer, optimizer, sizeof optimizer),
            found->optimizer_from);
    if (update == NULL) {
        fprintf(f,
                "no elements were captured, so what follows is guessed from norms: how far a "
                "step's scale is from\n%s.  For the update itself record with elements=\"full\" "
                "or \"blocks:1/64\"\n",
                found->optimizer.id == GTR_SGD ? "1" : "those that the optimizer remembers");
    } else {
        if (update->errors != NULL)
            fprintf(f, "estimated from %s of the elements; +- is a standard error\n",
                    percent((double)update->captured / (double)update->elements, share));
        put_start(f, found);
    }
    if (found->n_warm_up > 0)
        fprintf(f, "the tables leave out the first %zu of these steps (--warm-up)\n",
                found->n_warm_up);
}

void update_tables_print(FILE *f, const struct update_found *found,
                         const struct update_summary *summaries)
{
    const struct study *study = found->study;
    struct layout layout = { .exact = found->update != NULL,
                             .sampled = found->update != NULL && found->update->errors != NULL };
    size_t n = found->n_groups + 1, p;

    put_title(f, found);
    fputc('\n', f);
    layout.width =
        widest((const char *const *)study->series->names, study->series->n_groups, NAME_MOST);
    for (p = 0; p < study->n_settings; p++)
        put_policy(f, found, p, &layout, summaries + p * n);
    if (study->n_settings < 2)
        return;
    fputs("side by side, all groups together\n\n", f);
    layout.width = widest((const char *const *)study->labels, study->n_settings, LABEL_MOST);
    put_headings(f, &layout, "policy");
    for (p = 0; p < study->n_settings; p++)
        put_row(f, &layout, study->labels[p], &summaries[p * n + found->n_groups]);
    fputc('\n', f);
}
