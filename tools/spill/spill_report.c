/* spill_report.c - tables of at most 100 columns, each under a sentence that says what it is.
 *
 * Groups come by their blame.  Where the matrix of victims and culprits has too many sides it
 * keeps those with most of it, and says how many it leaves out; --tsv has all.
 */
#include <math.h>
#include <string.h>

#include "spill_found.h"
#include "tell.h"

enum {
    MATRIX_MOST = 7,
    NAME_LEAST = 12,
    NAME_MOST = 34,
    CELL_WIDTH = 11,
    CELL_NUMBERED = 8,
    VICTIMS_MOST = 7,
    GROUPS_MOST = 16,
    CURVE_EVERY = 10,
    RANGES_MOST = 3,
    POLICY_MOST = 40
};

/* --- the run ------------------------------------------------------------------------------- */

static void put_title(FILE *f, const struct spill_found *found)
{
    const struct study *study = found->study;
    const struct gtr_baseline_options *past = &found->options->baseline;

    tell_text(f, gtr_trace_path(study->trace));
    fprintf(f, ": %zu step%s, %zu group%s (", study->series->n_steps,
            tell_s(study->series->n_steps), study->groups->n_groups,
            tell_s(study->groups->n_groups));
    tell_text(f, study->groups->rule);
    fprintf(
        f,
        ")\na group is innocent at a step while its norm is at most %g times its running average\n"
        "(decay %g, spikes count as %g times it; its first %lld norms: or what follows)\n\n",
        past->kappa, past->decay, GTR_FOLLOWER_RISE, (long long)past->warmup);
}

/* Where noise alone would do most of it, there is little to blame anybody for. */
static void put_chance(FILE *f, const struct gtr_spill *spill)
{
    char a[TELL_SIZE], b[TELL_SIZE];

    fprintf(f, "Groups are above their past at %s of their steps, by their own noise at %s%s.\n",
            tell_share(spill->above_share, a), tell_share(spill->chance_share, b),
            spill_is_noise(spill) ? ":\nmost of these steps are noise, and nobody's fault; a "
                                    "larger --kappa counts what is more"
                                  : "");
}

static void put_headline(FILE *f, const struct spill_policy *policy)
{
    const struct gtr_spill *spill = policy->spill;
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE];

    if (spill->n_clipped == 0) {
        fprintf(f, "Clipping at %.6g never shrinks the gradient: there is no spill-over.\n\n",
                policy->max_norm);
        return;
    }
    fprintf(f, "Clipping at %.6g shrinks the gradient at %zu of %zu steps (%s).\n",
            policy->max_norm, spill->n_clipped, spill->n_counted, tell_share(policy->clip_rate, a));
    if (spill->n_excess == 0) {
        fputs("None of that is spill-over: no clipped step has a group above its own past.\n\n", f);
        return;
    }
    fprintf(f,
            "%s of what it takes is excess: groups above their own past, at %zu step%s.\n"
            "%s of the excess is spill-over: it fell on groups that had kept to theirs.\n",
            tell_share(spill->excess_share, b), spill->n_excess, tell_s(spill->n_excess),
            tell_share(spill->bystanders, c));
    put_chance(f, spill);
    fputc('\n', f);
}

static void put_run(FILE *f, const struct spill_policy *policy)
{
    const struct gtr_spill *spill = policy->spill;
    double n = (double)spill->n_counted;
    char a[TELL_SIZE], b[TELL_SIZE];

    if (spill->n_clipped == 0)
        return;
    fprintf(f, "  %-34s %.3g nats a step; of it excess %.3g\n", "attenuation",
            spill->attenuation_sum / n, spill->excess_sum / n);
    fprintf(f, "  %-34s %s; of it to excess %s\n", "an innocent group loses on average",
            tell_share(policy->at.cost, a), tell_share(policy->at.excess_cost, b));
    fprintf(f, "  %-34s %s\n", "any group, innocent or not, loses", tell_share(spill->cost, a));
    fprintf(f, "  %-34s %s (first order, SGD)\n", "descent that the innocent lost",
            tell_share(spill->lost_descent, a));
    if (spill->n_excess > 0)
        fprintf(f, "  %-34s as if %.2g %s shared the blame equally\n", "culprits", spill->culprits,
                spill->culprits < 1.05 ? "group" : "groups");
    fputc('\n', f);
}

/* The account that asks nothing of history, in words where one group is most of it. */
static void put_owner(FILE *f, const struct spill_found *found, const struct tell_names *names)
{
    const struct gtr_spill *spill = found->policies[found->main].spill;
    size_t owner = spill_owner(spill);
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE];

    fputs(
        "of norm: its part of what is clipped, whatever its past; without: what the others would\n"
        "lose if it were not there\n",
        f);
    if (owner < spill->n_groups)
        fprintf(f,
                "%s owns the norm: %s of what is clipped is its own; without it the others would "
                "lose\n%s and not %s\n",
                tell_name_text(names, owner), tell_share(spill->owned[owner], a),
                tell_share(spill->without[owner], b), tell_share(spill->cost, c));
}

static void put_groups(FILE *f, const struct spill_found *found, const struct tell_names *names)
{
    const struct gtr_spill *spill = found->policies[found->main].spill;
    size_t n_shown = spill->n_groups <= GROUPS_MOST + 4 ? spill->n_groups : GROUPS_MOST, k;
    int width = (int)names->width;
    bool blames = found->options->method != GTR_BLAME_LEAVE_ONE_OUT;
    char error[TELL_SIZE];

    fprintf(f, "%-*s %14s %15s %11s %11s %9s %8s %8s\n", width, "group", "innocent steps",
            "spill received", "loses", "blame", "of blame", "of norm", "without");
    fprintf(f, "%-*s %14s %15s %11s %11s\n", width, "", "", "nats", "on average", "nats");
    for (k = 0; k < n_shown; k++) {
        size_t j = found->ranked[k];
        char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE], d[TELL_SIZE], e[TELL_SIZE];

        tell_name(f, names, j);
        fprintf(f, " %14s %15.3g %11s %11.3g %9s %8s %8s\n", tell_share(spill->innocent[j], a),
                spill->received[j], tell_share(spill_loss(spill, j), b), spill->blamed[j],
                tell_share(spill_share(spill, j), c), tell_share(spill->owned[j], d),
                tell_share(spill->without[j], e));
    }
    if (n_shown < spill->n_groups)
        fprintf(f, "(%zu more groups have less blame; --tsv writes all)\n",
                spill->n_groups - n_shown);
    put_owner(f, found, names);
    if (!blames)
        fputs("leaving one out blames joint culprits too little: shares do not sum to 100%\n", f);
    if (spill->n_sampled > 0)
        fprintf(f,
                "%zu step%s more than %d culprits: there Shapley's value is over %d orders of "
                "arrival;\nshares are right to %s (standard error, at most)\n",
                spill->n_sampled, spill->n_sampled == 1 ? " has" : "s have", GTR_BLAME_EXACT,
                GTR_BLAME_ORDERS, tell_share(spill->sampling_error, error));
    fputc('\n', f);
}

/* --- the matrix ---------------------------------------------------------------------------- */

/* Those in ranked[from ..] of culprit column `c`; or of one group. */
static double cell(const struct spill_found *found, size_t victim, size_t from, size_t to)
{
    const struct gtr_spill *spill = found->policies[found->main].spill;
    double sum = 0.0;
    size_t k;

    for (k = from; k < to; k++)
        sum += spill->matrix[victim * spill->n_groups + found->ranked[k]];
    return sum;
}

/* Victims with most received first, as many as are shown. */
static size_t rank_victims(const struct gtr_spill *spill, size_t victims[VICTIMS_MOST])
{
    size_t n = 0, j, k;

    for (j = 0; j < spill->n_groups; j++) {
        for (k = n; k > 0 && spill->received[j] > spill->received[victims[k - 1]]; k--)
            if (k < VICTIMS_MOST)
                victims[k] = victims[k - 1];
        if (k < VICTIMS_MOST)
            victims[k] = j;
        n += n < VICTIMS_MOST ? 1 : 0;
    }
    return n;
}

/* Names that are too long to stand over a column give way to places in the table of groups. */
struct columns {
    size_t n;
    bool others, numbered;
    int cell; /* their width */
};

static struct columns columns_of(const struct spill_found *found, const struct tell_names *names)
{
    size_t n_groups = found->policies[found->main].spill->n_groups, c;
    struct columns columns = { .n = n_groups <= MATRIX_MOST ? n_groups : MATRIX_MOST - 1,
                               .others = n_groups > MATRIX_MOST,
                               .cell = CELL_WIDTH };

    for (c = 0; c < columns.n; c++)
        if (tell_letters(tell_name_text(names, found->ranked[c])) > CELL_WIDTH)
            columns.numbered = true;
    if (columns.numbered)
        columns.cell = CELL_NUMBERED;
    return columns;
}

static void put_columns(FILE *f, const struct spill_found *found, const struct tell_names *names,
                        const struct columns *columns)
{
    size_t c;

    fprintf(f, "%*s", (int)names->width, "");
    for (c = 0; c < columns->n; c++) {
        fputc(' ', f);
        if (columns->numbered)
            fprintf(f, "%*s%zu", columns->cell - 1, "no. ", c + 1);
        else
            tell_padded(f, tell_name_text(names, found->ranked[c]), (size_t)columns->cell, true);
    }
    if (columns->others)
        fprintf(f, " %*s", columns->cell, "others");
    fputc('\n', f);
}

static void put_matrix(FILE *f, const struct spill_found *found, const struct tell_names *names)
{
    const struct gtr_spill *spill = found->policies[found->main].spill;
    size_t victims[VICTIMS_MOST], n_rows = rank_victims(spill, victims), r, c;
    struct columns columns = columns_of(found, names);

    if (!(spill->excess_sum > 0.0) || spill->n_groups < 2)
        return;
    fprintf(f, "who paid (rows) for whom (columns%s): nats, while the row was innocent\n",
            columns.numbered ? ", by place in the table above" : "");
    put_columns(f, found, names, &columns);
    for (r = 0; r < n_rows; r++) {
        tell_name(f, names, victims[r]);
        for (c = 0; c < columns.n; c++)
            fprintf(f, " %*.3g", columns.cell, cell(found, victims[r], c, c + 1));
        if (columns.others)
            fprintf(f, " %*.3g", columns.cell, cell(found, victims[r], columns.n, spill->n_groups));
        fputc('\n', f);
    }
    if (spill->n_groups > n_rows)
        fprintf(f, "(%zu more groups paid less; --tsv writes all)\n", spill->n_groups - n_rows);
    fputc('\n', f);
}

/* --- the curve ----------------------------------------------------------------------------- */

static void put_point(FILE *f, const struct gtr_spill_point *point, const char *mark)
{
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE], d[TELL_SIZE];

    fprintf(f, "%11.4g %14s %14s %14s %16s%s%s\n", point->max_norm, tell_share(point->clip_rate, a),
            point->clip_rate > 0.0 ? tell_share(point->excess_share, b) : "-",
            tell_share(point->cost, c), tell_share(point->excess_cost, d),
            mark[0] != '\0' ? "  " : "", mark);
}

/* The rows of the table between two limits, marked ones in their places. */
static void put_marked(FILE *f, const struct spill_found *found, double above, double upto)
{
    const struct gtr_spill_point *shown[3] = { &found->chosen, &found->own,
                                               &found->policies[found->main].at };
    static const char *const marks[3] = { "recommended", "the run's own", "this one" };
    size_t order[3] = { 0, 1, 2 }, k, i;

    for (k = 1; k < 3; k++)
        for (i = k; i > 0 && shown[order[i]]->max_norm < shown[order[i - 1]]->max_norm; i--) {
            size_t kept = order[i];

            order[i] = order[i - 1];
            order[i - 1] = kept;
        }
    for (k = 0; k < 3; k++) {
        const struct gtr_spill_point *point = shown[order[k]];
        char mark[64];

        if (!(point->max_norm > above && point->max_norm <= upto) ||
            (k > 0 && shown[order[k - 1]]->max_norm == point->max_norm))
            continue;
        snprintf(mark, sizeof mark, "< %s", marks[order[k]]);
        for (i = k + 1; i < 3 && shown[order[i]]->max_norm == point->max_norm; i++)
            snprintf(mark + strlen(mark), sizeof mark - strlen(mark), ", %s", marks[order[i]]);
        put_point(f, point, mark);
    }
}

static void put_ranges(FILE *f, const struct spill_found *found)
{
    struct spill_range ranges[RANGES_MOST];
    size_t n = spill_ranges(found->points, SPILL_POINTS, 0.5, ranges, RANGES_MOST), k;

    if (!(found->points[0].clip_rate > 0.0))
        return;
    fputs("  excess share is below 50% ", f);
    if (n == 0)
        fputs("at none of these limits", f);
    for (k = 0; k < n && k < RANGES_MOST; k++) {
        const struct spill_range *r = &ranges[k];

        fputs(k > 0 ? ", and again " : "", f);
        if (r->from_start && r->to_end)
            fputs("at all of these limits", f);
        else if (r->from_start)
            fprintf(f, "up to a limit of %.3g", r->high);
        else if (r->to_end)
            fprintf(f, "from a limit of %.3g on", r->low);
        else
            fprintf(f, "from a limit of %.3g to %.3g", r->low, r->high);
    }
    fputs(n > RANGES_MOST ? ", and at others\n" : "\n", f);
}

static void put_curve(FILE *f, const struct spill_found *found)
{
    const struct gtr_spill_point *chosen = &found->chosen;
    double above = 0.0;
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE];
    size_t i;

    fputs("what other limits would do\n", f);
    fprintf(f, "%11s %14s %14s %14s %16s\n", "limit", "steps clipped", "excess share",
            "innocent lose", "of it to excess");
    for (i = 0; i < SPILL_POINTS; i += CURVE_EVERY) {
        put_marked(f, found, above, found->points[i].max_norm);
        put_point(f, &found->points[i], "");
        above = found->points[i].max_norm;
    }
    put_marked(f, found, above, HUGE_VAL);
    fprintf(f,
            "  recommended: %.2g to %.2g; %.6g is the smallest at which an innocent group loses at "
            "most %s\n  (--cost %g), and other stretches of such a run would give another in that "
            "range\n",
            found->chosen_low, found->chosen_high, chosen->max_norm,
            tell_share(found->options->cost, a), found->options->cost);
    fprintf(f, "  %.6g clips %s of the steps, and its excess share is %s\n", chosen->max_norm,
            tell_share(chosen->clip_rate, b), tell_share(chosen->excess_share, c));
    put_ranges(f, found);
    fputc('\n', f);
}

/* --- several policies, and other kappas ---------------------------------------------------- */

static void put_policies(FILE *f, const struct spill_found *found)
{
    const char **texts = NULL;
    struct tell_names names;
    bool group_wise = false;
    size_t i;

    if (gtr_alloc_for(&texts, found->n_policies, sizeof *texts, "policies", NULL) != GTR_OK)
        return;
    for (i = 0; i < found->n_policies; i++)
        texts[i] = found->policies[i].text;
    tell_names_make(&names, texts, found->n_policies, POLICY_MOST, POLICY_MOST);
    fprintf(f, "%-*s %13s %13s %14s\n", (int)names.width, "policy", "steps clipped", "excess share",
            "lost to excess");
    for (i = 0; i < found->n_policies; i++) {
        const struct spill_policy *policy = &found->policies[i];
        char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE];

        group_wise = group_wise || !policy->global;
        tell_name(f, &names, i);
        fprintf(f, " %13s %13s %14s\n", tell_share(policy->clip_rate, a),
                tell_share(policy->spill->excess_share, b), tell_share(policy->at.excess_cost, c));
    }
    tell_names_free(&names);
    gtr_free(texts);
    if (group_wise)
        fputs("A policy that decides for each group by itself spills nothing, exactly: what one "
              "group does is\nno part of another's scale.\n",
              f);
    fputc('\n', f);
}

static void put_kappas(FILE *f, const struct spill_found *found, const struct tell_names *names)
{
    int width = (int)names->width;
    size_t i;

    fputs("had \"above its past\" begun elsewhere (blame in proportion to the excess)\n", f);
    fprintf(f, "%11s %14s  %-*s %9s\n", "kappa", "excess share", width, "top culprit", "of blame");
    for (i = 0; i < found->n_kappas; i++) {
        const struct spill_kappa *k = &found->kappas[i];
        char a[TELL_SIZE], b[TELL_SIZE];

        fprintf(f, "%11.4g %14s  ", k->kappa, tell_share(k->excess_share, a));
        tell_padded(f, k->share > 0.0 ? tell_name_text(names, k->culprit) : "-", names->width,
                    false);
        fprintf(f, " %9s%s\n", tell_share(k->share, b),
                k->kappa == found->options->baseline.kappa ? "  < this one" : "");
    }
    fputc('\n', f);
}

void spill_report(FILE *f, const struct spill_found *found)
{
    bool told = found->main < found->n_policies;
    const struct gtr_series *series = found->study->series;
    struct tell_names names;

    tell_names_make(&names, (const char *const *)series->names, series->n_groups, NAME_LEAST,
                    NAME_MOST);
    put_title(f, found);
    if (found->n_policies > 1 || !told)
        put_policies(f, found);
    if (told) {
        const struct spill_policy *policy = &found->policies[found->main];

        put_headline(f, policy);
        put_run(f, policy);
        if (policy->spill->n_excess > 0) {
            put_groups(f, found, &names);
            put_matrix(f, found, &names);
            spill_story(f, found, &names);
        }
        put_curve(f, found);
        if (policy->spill->n_clipped > 0)
            put_kappas(f, found, &names);
    }
    fprintf(f, "%s\n", study_open_loop);
    tell_names_free(&names);
}
