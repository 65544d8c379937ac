/* explain_report.c - the step itself: how unusual it is, who made it so, what came of it. */
#include <math.h>
#include <string.h>

#include "explain_found.h"

enum { TENSOR_MOST = 52 };

/* --- the headline -------------------------------------------------------------------------- */

/* "the largest", "the 2nd largest", "the 113th largest". */
static const char *rank_text(size_t rank, char text[48])
{
    static const char *const ends[] = { "th", "st", "nd", "rd" };
    size_t last = rank % 100 / 10 == 1 || rank % 10 > 3 ? 0 : rank % 10;

    if (rank == 1)
        snprintf(text, 48, "the largest");
    else
        snprintf(text, 48, "the %zu%s largest", rank, ends[last]);
    return text;
}

static void put_title(FILE *f, const struct explain_found *found)
{
    const struct gtr_series *series = found->study.series;
    const struct gtr_step *step = &gtr_trace_steps(found->study.trace)[found->row];

    tell_text(f, gtr_trace_path(found->study.trace));
    fprintf(f, ", step %lld (row %zu of %zu)", (long long)series->index[found->row], found->row + 1,
            series->n_steps);
    if (found->options->worst)
        fputs(", the worst", f);
    if (isfinite(step->lr))
        fprintf(f, ", learning rate %.3g", step->lr);
    if (isfinite(step->loss))
        fprintf(f, ", loss %.4g", step->loss);
    fputs("\n\n", f);
}

static void put_norm(FILE *f, const struct explain_found *found)
{
    const struct explain_norm *whole = &found->whole;
    char text[48];

    if (found->study.series->nonfinite[found->row]) {
        fprintf(f, "The norm of its finite elements is %.4g.\n", whole->norm);
        return;
    }
    fprintf(f, "The norm of the whole gradient is %.4g, %s of %zu", whole->norm,
            rank_text(found->rank, text), found->n_ranked);
    if (isnan(whole->average))
        fputs(";\nthere were too few steps before it to say what is usual.\n", f);
    else
        fprintf(f, ":\n%.2g times its average over the steps before, %.3g%s.\n",
                whole->norm / whole->average, whole->average,
                whole->above ? "" : ", which is nothing unusual");
}

static void put_culprits(FILE *f, const struct explain_found *found)
{
    const struct gtr_series *series = found->study.series;
    size_t n_above = 0, n_shown = 0, j;

    for (j = 0; j < series->n_groups; j++)
        n_above += found->group[j].above ? 1 : 0;
    if (n_above == 0 && isnan(found->whole.average))
        return;
    if (n_above == 0) {
        fprintf(f, "No group is above %.3g times its own average.\n",
                found->options->baseline.kappa);
        return;
    }
    if (n_above == series->n_groups && n_above > 1)
        fprintf(f, "All %zu groups are", n_above);
    else
        fprintf(f, "%zu of %zu groups %s", n_above, series->n_groups, n_above == 1 ? "is" : "are");
    fprintf(f, " above %.3g times %s own average:\n  ", found->options->baseline.kappa,
            n_above == 1 ? "its" : "their");
    for (j = 0; j < series->n_groups && n_shown < 3; j++) {
        const struct explain_norm *g = &found->group[found->ranked[j]];

        if (!g->above)
            continue;
        fputs(n_shown++ > 0 ? ", " : "", f);
        tell_text(f, series->names[found->ranked[j]]);
        fprintf(f, " %.2g times", g->norm / g->average);
    }
    fputs(n_above > n_shown ? ", ...\n" : ".\n", f);
}

/* --- steps that are no ordinary steps ------------------------------------------------------ */

static void put_broken(FILE *f, const struct explain_found *found)
{
    const struct gtr_tensor *tensors = gtr_trace_head(found->study.trace)->tensors;
    size_t k;

    if (!found->study.series->nonfinite[found->row])
        return;
    fprintf(f, "The gradient is not finite: %zu of %zu tensors have NaN or infinite elements.\n",
            found->n_all_broken, found->study.groups->n_tensors);
    for (k = 0; k < found->n_broken; k++) {
        const struct explain_tensor *t = &found->broken[k];

        fputs("  ", f);
        tell_text(f, tensors[t->tensor].name);
        fprintf(f, ": %llu of %llu elements\n", (unsigned long long)t->nonfinite,
                (unsigned long long)tensors[t->tensor].numel);
    }
    if (found->n_all_broken > found->n_broken)
        fprintf(f, "  and %zu more\n", found->n_all_broken - found->n_broken);
    fputs(found->skip ? "Every policy leaves such a step out, as most trainers do (--nonfinite "
                        "skip); norms below\nare of the finite elements.\n"
                      : "It is let through (--nonfinite propagate); norms below are of the finite "
                        "elements.\n",
          f);
}

static void put_own(FILE *f, const struct explain_found *found)
{
    const struct gtr_step *step = &gtr_trace_steps(found->study.trace)[found->row];

    if (step->skipped)
        fputs("The run itself left this update out.\n", f);
    if (isfinite(step->applied_scale) && step->applied_scale != 1.0)
        fprintf(f, "The run itself scaled this gradient by %.3g.\n", step->applied_scale);
    if (strcmp(gtr_trace_head(found->study.trace)->grad_state, "post-clip") == 0)
        fputs("Norms were recorded after the run's own clipping: the spike may have been "
              "larger.\n",
              f);
}

/* --- groups and tensors -------------------------------------------------------------------- */

static void put_factor(FILE *f, const struct explain_norm *g)
{
    char share[TELL_SIZE];

    if (isnan(g->average))
        fprintf(f, " %9s %7s  %-9s", "-", "-", "no past");
    else
        fprintf(f, " %9.3g %7.2f  %-9s", g->average, g->norm / g->average,
                g->above ? "above" : "-");
    fprintf(f, " %9s\n", isfinite(g->share) ? tell_share(g->share, share) : "-");
}

static void put_groups(FILE *f, const struct explain_found *found)
{
    const struct gtr_series *series = found->study.series;
    int width = (int)found->names.width;
    size_t n = series->n_groups, shown = found->options->n_top, k;

    shown = shown == 0 || shown > n ? n : shown;
    fprintf(f, "  %-*s %9s %9s %7s  %-9s %9s\n", width, "group", "norm", "average", "factor",
            "its past", "of energy");
    for (k = 0; k < shown; k++) {
        const struct explain_norm *g = &found->group[found->ranked[k]];

        fputs("  ", f);
        tell_name(f, &found->names, found->ranked[k]);
        fprintf(f, " %9.4g", g->norm);
        put_factor(f, g);
    }
    if (shown < n)
        fprintf(f, "  and %zu more with less energy; --top 0 shows all\n", n - shown);
    fprintf(f, "  %-*s %9.4g", width, "(all)", found->whole.norm);
    put_factor(f, &found->whole);
    fputc('\n', f);
}

static void put_tensors(FILE *f, const struct explain_found *found)
{
    const struct gtr_tensor *tensors = gtr_trace_head(found->study.trace)->tensors;
    const char *whole[EXPLAIN_TENSORS];
    size_t in_group = 0, i, k;
    struct tell_names names;
    char share[TELL_SIZE];

    for (i = 0; i < found->study.groups->n_tensors; i++)
        in_group += found->study.groups->of_tensor[i] == found->focus ? 1 : 0;
    if (in_group < 2 || !(found->group[found->focus].norm > 0.0))
        return;
    fprintf(f, "  %zu tensors make up ", in_group);
    tell_text(f, found->study.series->names[found->focus]);
    for (k = 0; k < found->n_tensors; k++)
        whole[k] = tensors[found->tensors[k].tensor].name;
    tell_names_make(&names, whole, found->n_tensors, 0, TENSOR_MOST);
    fprintf(f, "; the largest\n  %-*s %9s %9s %14s\n", (int)names.width, "", "norm", "of group",
            "of their usual");
    for (k = 0; k < found->n_tensors; k++) {
        const struct explain_tensor *t = &found->tensors[k];

        fputs("  ", f);
        tell_name(f, &names, k);
        fprintf(f, " %9.3g %9s", t->norm, tell_share(t->share, share));
        if (t->past > 0.0)
            fprintf(f, " %8.2g times\n", t->norm / t->past);
        else
            fprintf(f, " %14s\n", "-");
    }
    tell_names_free(&names);
    fputc('\n', f);
}

/* --- what came of it ----------------------------------------------------------------------- */

/* How far the n-th row after this one is: "3 steps"; of a log with one row in 20 steps, "3 rows
 * (60 steps)".  Returns `text`. */
static const char *distance(const struct explain_found *found, size_t n, char text[64])
{
    const struct gtr_series *series = found->study.series;
    int64_t steps = series->index[found->row + n] - series->index[found->row];

    if (gtr_trace_stride(found->study.trace) == 1)
        snprintf(text, 64, "%zu step%s", n, tell_s(n));
    else
        snprintf(text, 64, "%zu row%s (%lld steps)", n, tell_s(n), (long long)steps);
    return text;
}

static void put_after(FILE *f, const struct explain_found *found)
{
    const struct explain_loss *loss = &found->loss;
    size_t ahead = found->study.series->n_steps - found->row - 1;
    char text[64];

    if (ahead == 0) {
        fputs("It is the last step of the trace: what came of it is not known.\n\n", f);
        return;
    }
    if (found->whole.above && found->back != SIZE_MAX) {
        fprintf(f, "After it the norm was within %.3g times its former average again after %s.\n",
                found->options->baseline.kappa, distance(found, found->back, text));
    } else if (found->whole.above) {
        fprintf(f,
                "The norm did not come back to %.3g times its former average within the %s that "
                "follow.\n",
                found->options->baseline.kappa, distance(found, ahead, text));
    }
    if (isfinite(loss->before) && isfinite(loss->peak)) {
        fprintf(f,
                "The loss was %.3g before (%.3g to %.3g), and in the %s after it at "
                "most %.3g, at step %lld:\n",
                loss->before, loss->before_least, loss->before_most,
                distance(found, ahead < EXPLAIN_AHEAD ? ahead : EXPLAIN_AHEAD, text), loss->peak,
                (long long)loss->peak_step);
        if (!loss->left)
            fputs("it did not rise above where it was.\n", f);
        else if (loss->back > 0)
            fprintf(f, "it rose, and was where it had been %s after this one.\n",
                    distance(found, loss->back, text));
        else
            fputs("it rose, and did not come back to where it was.\n", f);
    }
    fputc('\n', f);
}

void explain_report(FILE *f, const struct explain_found *found)
{
    size_t i;

    put_title(f, found);
    put_broken(f, found);
    put_own(f, found);
    put_norm(f, found);
    put_culprits(f, found);
    fputc('\n', f);
    put_groups(f, found);
    put_tensors(f, found);
    put_after(f, found);
    for (i = 0; i < found->study.n_settings; i++)
        explain_policy(f, found, i);
    explain_optimizer(f, found);
}
