/* update_report.c - what `gradtrace update` tells people: sentences first, then columns, at most
 * 100 characters wide.
 *
 * Sentences say what a policy does to the whole update; the table of its groups follows only if
 * there is a change to show.
 */
#include "update_found.h"

#include <math.h>

#include "tell.h"

enum { NAME_LEAST = 8, NAME_MOST = 24, LABEL_MOST = 34, FEW_BLOCKS = 10, FEW_NAMES = 3 };

/* Which columns there are, and what is in the first. */
struct layout {
    bool exact;   /* elements were captured */
    bool sampled; /* of a part of them */
    struct tell_names names;
};

/* --- numbers ------------------------------------------------------------------------------- */

/* "-" for none: a table of zeros hides the rows that matter; "." for unknown. */
static void put_change(FILE *f, double change)
{
    char text[TELL_SIZE];

    fprintf(f, " %7s", isnan(change) ? "." : change == 0.0 ? "-" : tell_change(change, text));
}

static void put_clipped(FILE *f, const struct update_summary *s)
{
    char text[TELL_SIZE];

    fprintf(f, " %7s", s->n_clipped == 0 ? "-" : tell_part(s->n_clipped, s->n, text));
}

static void put_direction(FILE *f, double value)
{
    if (isnan(value))
        fprintf(f, " %7s", ".");
    else
        fprintf(f, " %7.4f", value);
}

/* --- columns ------------------------------------------------------------------------------- */

static void put_headings(FILE *f, const struct layout *layout, const char *first)
{
    int width = (int)layout->names.width;

    fprintf(f, "  %-*s %7s %*s", width, "", "steps", layout->sampled ? 47 : 39,
            layout->exact ? "change of the update" : "change of the update, by norms");
    fprintf(f, layout->exact ? " %7s %15s %7s\n" : "\n", "rms by", "direction kept", "size");
    fprintf(f, "  %-*s %7s %7s", width, first, "clipped", "median");
    if (layout->sampled)
        fprintf(f, " %7s", "+-");
    fprintf(f, " %7s %7s %7s %7s", "p90", "max", "at step", "rms");
    fprintf(f, layout->exact ? " %7s %7s %7s %7s\n" : "\n", "norms", "mean", "least", "median");
}

/* Of name i; past the last, of all together. */
static void put_row(FILE *f, const struct layout *layout, size_t i, const struct update_summary *s)
{
    fputs("  ", f);
    if (i < layout->names.n)
        tell_name(f, &layout->names, i);
    else
        fprintf(f, "%-*s", (int)layout->names.width, "(all)");
    put_clipped(f, s);
    put_change(f, s->change_p50);
    if (layout->sampled)
        put_change(f, s->change_half);
    put_change(f, s->change_p90);
    put_change(f, s->change_max);
    if (s->change_max > 0.0)
        fprintf(f, " %7lld", (long long)s->max_step);
    else
        fprintf(f, " %7s", "-");
    put_change(f, s->change_rms);
    if (layout->exact) {
        put_change(f, s->hinted_rms);
        put_direction(f, s->cosine_mean);
        put_direction(f, s->cosine_min);
        put_direction(f, s->ratio_p50);
    }
    fputc('\n', f);
}

/* --- one policy ---------------------------------------------------------------------------- */

/* "... clips 76% of steps and changes the AdamW update by 0.3%". */
static void put_sentence(FILE *f, const struct update_found *found, size_t policy,
                         const struct update_summary *whole)
{
    const char *optimizer = update_optimizer_name(found);
    char clipped[TELL_SIZE], raised[TELL_SIZE], median[TELL_SIZE], most[TELL_SIZE];

    tell_text(f, gtr_setting_text(found->study->settings[policy]));
    if (whole->n == 0 || isnan(whole->change_max)) {
        fputs(" has no step to be judged by\n", f);
        return;
    }
    fprintf(f, " clips %s", tell_part(whole->n_clipped, whole->n, clipped));
    if (whole->n_raised > 0)
        fprintf(f, " and raises %s", tell_part(whole->n_raised, whole->n, raised));
    if (whole->change_max == 0.0) {
        fprintf(f, " of steps and leaves the %s update as it is\n", optimizer);
        return;
    }
    fprintf(f, " of steps and %s the %s update by %s\n",
            found->update != NULL ? "changes" : "may change", optimizer,
            tell_change(whole->change_p50, median));
    fprintf(f, "  (median over %zu step%s; %s at the worst, step %lld)\n", whole->n_changes,
            tell_s(whole->n_changes), tell_change(whole->change_max, most),
            (long long)whole->max_step);
}

static void put_policy(FILE *f, const struct update_found *found, size_t policy,
                       const struct layout *layout, const struct update_summary *summaries)
{
    size_t g;

    put_sentence(f, found, policy, &summaries[found->n_groups]);
    fputc('\n', f);
    if (!(summaries[found->n_groups].change_max > 0.0))
        return; /* a table of nothing */
    put_headings(f, layout, "group");
    for (g = 0; g <= found->n_groups; g++)
        put_row(f, layout, g, &summaries[g]);
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

/* Measured with torch 2.15, clip_grad_norm_ of 1,500 gradients of three tensors: its factor, of
 * what it made of them, was up to 0.95% off in bf16 and 0.13% in f16. */
static void put_rounding(FILE *f, const struct study *study)
{
    const struct gtr_head *head = gtr_trace_head(study->trace);
    bool bf16 = false, f16 = false;
    size_t i;

    for (i = 0; i < head->n_tensors; i++) {
        bf16 |= head->tensors[i].dtype == GTR_BF16;
        f16 |= head->tensors[i].dtype == GTR_F16;
    }
    if (bf16 || f16)
        fprintf(f,
                "gradients are %s: torch rounds norm and factor to that, up to %s; here they "
                "are not rounded\n",
                bf16 ? "bf16" : "f16", bf16 ? "0.9%" : "0.1%");
}

/* Groups of which few blocks were kept: those that have most of the energy may not be among them.
 * For how often such intervals cover see test_update_sample.c. */
static void put_few_blocks(FILE *f, const struct update_found *found)
{
    const struct gtr_update *update = found->update;
    size_t n = 0, g;

    for (g = 0; update->errors != NULL && g < update->n_groups; g++) {
        if (update->kept[g] >= FEW_BLOCKS || update->kept[g] == update->blocks[g])
            continue;
        if (n++ >= FEW_NAMES)
            continue;
        fputs(n == 1 ? "few blocks kept of: " : ", ", f);
        tell_text(f, found->study->series->names[g]);
        fprintf(f, " (%.0f of %.0f)", update->kept[g], update->blocks[g]);
    }
    if (n > FEW_NAMES)
        fprintf(f, " and %zu more", n - FEW_NAMES);
    if (n > 0)
        fputs("\n  where few blocks have most of the energy, even this interval is too narrow\n",
              f);
}

static void put_title(FILE *f, const struct update_found *found)
{
    const struct study *study = found->study;
    const struct gtr_update *update = found->update;
    char optimizer[160], share[TELL_SIZE];

    tell_text(f, gtr_trace_path(study->trace));
    fprintf(f, ": %zu of %zu steps with elements, in %zu groups (",
            update != NULL ? update->n_rows : 0, study->series->n_steps, study->groups->n_groups);
    tell_text(f, study->groups->rule);
    fputs(")\n", f);
    fprintf(f, "optimizer %s (%s)\n",
            gtr_optimizer_print(&found->optimizer, optimizer, sizeof optimizer),
            found->optimizer_from);
    if (update == NULL && found->optimizer.id == GTR_LION) {
        fputs("no elements were captured, and norms tell nothing of a sign: record with "
              "elements=\"full\" or \"blocks:1/64\"\n",
              f);
    } else if (update == NULL) {
        fprintf(f,
                "no elements were captured, so what follows is guessed from norms: how far a "
                "step's scale is from\n%s.  For the update itself record with elements=\"full\" "
                "or \"blocks:1/64\"\n",
                found->optimizer.id == GTR_SGD ? "1" : "those that the optimizer remembers");
    } else {
        if (update->errors != NULL)
            fprintf(f,
                    "estimated from %s of the elements; +- is half of a 95%% interval by Student's "
                    "t\n",
                    tell_part(update->captured, update->elements, share));
        put_few_blocks(f, found);
        put_start(f, found);
        put_rounding(f, study);
    }
    if (found->n_warm_up > 0)
        fprintf(f, "the tables leave out the first %zu of these steps (--warm-up)\n",
                found->n_warm_up);
}

void update_report(FILE *f, const struct update_found *found,
                   const struct update_summary *summaries)
{
    const struct study *study = found->study;
    struct layout layout = { .exact = found->update != NULL,
                             .sampled = found->update != NULL && found->update->errors != NULL };
    size_t n = found->n_groups + 1, p;

    put_title(f, found);
    fputc('\n', f);
    tell_names_make(&layout.names, (const char *const *)study->series->names, found->n_groups,
                    NAME_LEAST, NAME_MOST);
    for (p = 0; p < study->n_settings; p++)
        put_policy(f, found, p, &layout, summaries + p * n);
    tell_names_free(&layout.names);
    if (study->n_settings < 2)
        return;
    fputs("side by side, all groups together\n\n", f);
    tell_names_make(&layout.names, (const char *const *)study->labels, study->n_settings,
                    NAME_LEAST, LABEL_MOST);
    put_headings(f, &layout, "policy");
    for (p = 0; p < study->n_settings; p++)
        put_row(f, &layout, p, &summaries[p * n + found->n_groups]);
    tell_names_free(&layout.names);
    fputc('\n', f);
}
