/* explain_policy.c - what one policy did at the step, why, at whose cost, and what is left of it
 * behind the optimizer, for people. */
#include <math.h>
#include <string.h>

#include "explain_found.h"

/* --- reasons ------------------------------------------------------------------------------- */

/* Each reason once, with the groups that it holds for. */
static void put_reasons(FILE *f, const struct explain_found *found, size_t policy)
{
    size_t n = found->study.series->n_groups, j, k;

    for (j = 0; j < n; j++) {
        const char *reason = explain_reason(found, policy, j);
        size_t count = 0, column;

        for (k = 0; k < j && strcmp(explain_reason(found, policy, k), reason) != 0; k++)
            continue;
        if (k < j)
            continue; /* told with an earlier group */
        fprintf(f, "  %s:", reason);
        column = strlen(reason) + 3;
        for (k = j; k < n; k++) {
            const char *name = found->study.series->names[k];

            if (strcmp(explain_reason(found, policy, k), reason) != 0)
                continue;
            if (++count > 12)
                continue;
            column += tell_letters(name) + 2;
            if (column > 98) {
                fputs("\n   ", f);
                column = tell_letters(name) + 5;
            }
            fputs(" ", f);
            tell_text(f, name);
        }
        fprintf(f, count > 12 ? " and %zu more\n" : "\n", count - 12);
    }
    fputc('\n', f);
}

/* --- the table ----------------------------------------------------------------------------- */

static const char *end_text(double value, bool shown, char text[32])
{
    if (!shown || !(value < HUGE_VAL))
        return "-";
    snprintf(text, 32, "%.3g", value);
    return text;
}

static void put_row(FILE *f, const struct explain_found *found, size_t i, size_t j)
{
    const struct explain_policy *policy = &found->policies[i];
    size_t at = j * found->study.series->n_steps + found->row;
    double s = policy->decisions->scale[at], lower = policy->decisions->lower[at];
    bool own = !explain_decides_for_all(found, i);
    char a[32], b[32];

    fputs("  ", f);
    tell_name(f, &found->names, j);
    fprintf(f,
            s >= 0.001 || s == 0.0 || isnan(s) ? " %9.4g %9s %9s %8.4f %9.4g %9.3f"
                                               : " %9.4g %9s %9s %8.2g %9.4g %9.3f",
            found->group[j].norm, end_text(lower, own && lower > 0.0, a),
            end_text(policy->decisions->upper[at], own, b), s, s * found->group[j].norm,
            policy->rho[at]);
    if (policy->at != NULL)
        fprintf(f, " %8.3g %8.4f", policy->at[j].change, policy->at[j].cosine);
    fputc('\n', f);
}

static void put_table(FILE *f, const struct explain_found *found, size_t i)
{
    const struct explain_policy *policy = &found->policies[i];
    const struct gtr_series *series = found->study.series;
    int width = (int)found->names.width;
    size_t shown = found->options->n_top, k;

    shown = shown == 0 || shown > series->n_groups ? series->n_groups : shown;
    fprintf(f, "  %-*s %9s %19s %8s %9s %9s%s\n", width, "", "", "interval     ", "", "norm",
            "left by", policy->at != NULL ? "      update" : "");
    fprintf(f, "  %-*s %9s %9s %9s %8s %9s %9s%s\n", width, "group", "norm", "lower", "upper",
            "scale", "after", gtr_optimizer_title(&found->optimizer),
            policy->at != NULL ? "   change   cosine" : "");
    for (k = 0; k < shown; k++)
        put_row(f, found, i, found->ranked[k]);
    fprintf(f, "  %-*s %9.4g %19s %8s %9.4g", width, "(all)", found->whole.norm, "", "",
            policy->norm_out);
    if (policy->at != NULL)
        fprintf(f, " %9s %8.3g %8.4f", "", policy->at[series->n_groups].change,
                policy->at[series->n_groups].cosine);
    fputs("\n\n", f);
}

/* --- blame --------------------------------------------------------------------------------- */

static void put_shares(FILE *f, const struct explain_found *found, const struct gtr_spill *spill)
{
    size_t n = spill->n_groups, shown = 0, k, j;
    char text[TELL_SIZE];
    double last = HUGE_VAL;
    size_t last_group = 0;

    fputs("  To blame for it (Shapley shares):\n    ", f);
    for (k = 0; k < n && shown < 4; k++) {
        size_t best = n;
        double most = 0.0;

        /* The next smaller one; equal shares in the order of groups. */
        for (j = 0; j < n; j++) {
            double blame = spill->blame[j * spill->n_steps + found->row];

            if (blame > most && (blame < last || (blame == last && j > last_group))) {
                most = blame;
                best = j;
            }
        }
        if (best == n)
            break;
        fputs(shown++ > 0 ? ", " : "", f);
        tell_text(f, found->study.series->names[best]);
        fprintf(f, " %s", tell_share(most / spill->excess[found->row], text));
        last = most;
        last_group = best;
    }
    fputs("\n", f);
}

static void put_blame(FILE *f, const struct explain_found *found, size_t i)
{
    const struct gtr_spill *spill = found->policies[i].spill;
    size_t n_innocent = 0, j;
    double attenuation, excess;
    char a[TELL_SIZE], b[TELL_SIZE];

    if (spill == NULL || isnan(spill->attenuation[found->row]))
        return;
    attenuation = spill->attenuation[found->row];
    excess = spill->excess[found->row];
    if (!(attenuation > 0.0))
        return;
    if (!(excess > 0.0)) {
        fputs("  Nobody is to blame: it would have been clipped as much had every group stayed "
              "within its past.\n",
              f);
        return;
    }
    for (j = 0; j < spill->n_groups; j++)
        n_innocent += found->group[j].above ? 0 : 1;
    fprintf(f,
            "  Had every group stayed within its past, %s of the gradient would have been left;\n"
            "  %s is.\n",
            attenuation > excess ? tell_share(exp(excess - attenuation), a) : "all",
            tell_share(exp(-attenuation), b));
    put_shares(f, found, spill);
    if (n_innocent > 0)
        fprintf(f, "  %zu of %zu groups did nothing and lose %s of their gradient to it.\n",
                n_innocent, spill->n_groups, tell_share(1.0 - exp(-excess), a));
}

/* --- all of it ----------------------------------------------------------------------------- */

void explain_optimizer(FILE *f, const struct explain_found *found)
{
    if (found->study.n_settings == 0 || found->skip)
        return;
    if (found->optimizer.id == GTR_SGD)
        fputs("Left by SGD: it remembers no sizes, so all of the scale reaches the update.\n", f);
    else if (found->optimizer.id == GTR_LION)
        fputs("Left by Lion: its update is a sign; norms do not tell what a scale leaves of it.\n",
              f);
    else
        fprintf(f,
                "Left by %s: what is left of the scale behind it, which divides by the "
                "gradient's usual size; 1: the\nclip is undone.  A guess from norms; %s is %.4g,\n"
                "%s.\n",
                gtr_optimizer_title(&found->optimizer),
                found->optimizer.id == GTR_RMSPROP ? "alpha" : "beta2", found->optimizer.beta2,
                found->optimizer_from);
    if (found->update != NULL)
        fprintf(f,
                "Update: simulated from the captured elements; its change against no clipping, "
                "relative, and their\ncosine%s.\n",
                found->update->errors != NULL ? "; estimated, as the elements are a sample" : "");
    fputc('\n', f);
}

void explain_policy(FILE *f, const struct explain_found *found, size_t i)
{
    const struct explain_policy *policy = &found->policies[i];
    const struct gtr_decisions *d = policy->decisions;
    char *setting;

    setting = gtr_setting_print_bound(found->study.settings[i],
                                      (const char *const *)found->study.series->names,
                                      found->study.series->n_groups, d->params);
    tell_text(f, found->study.labels[i]);
    if (setting != NULL && strcmp(setting, found->study.labels[i]) != 0) {
        fputs("\n  setting: ", f);
        tell_text(f, setting);
    }
    fputc('\n', f);
    gtr_free(setting);
    if (found->skip) {
        fputs("  makes no decision here, and remembers nothing of this step.\n\n", f);
        return;
    }
    if (explain_decides_for_all(found, i) && isnan(found->study.series->total[found->row]))
        fputs("  decides by the whole gradient, which is not finite\n", f);
    else if (explain_decides_for_all(found, i))
        fprintf(f, "  limit for the whole gradient: %.4g; its norm is %.4g\n", d->upper[found->row],
                found->study.series->total[found->row]);
    put_reasons(f, found, i);
    put_table(f, found, i);
    if (isfinite(policy->cosine))
        fprintf(f, "  Direction kept: cosine with the recorded gradient %.4f.\n", policy->cosine);
    put_blame(f, found, i);
    fputc('\n', f);
}
