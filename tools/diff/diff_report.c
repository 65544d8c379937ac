/* diff_report.c - two traces, for people: one sentence, then the numbers behind it.
 *
 * The sentence names groups that differ by more than noise (Holm over all comparisons), the
 * farthest first; the tables show every group, whether it differs or not, so that nobody reads a
 * missing row as "the same".
 */
#include <math.h>

#include "diff_found.h"
#include "tell.h"

enum { NAME_LEAST = 6, NAME_MOST = 20, NAMED = 3, ROWS_MAX = 40 };

static size_t count_runs(const struct diff_found *found)
{
    return found->n_of[0] + found->n_of[1];
}

/* --- the headline -------------------------------------------------------------------------- */

/* Groups of which the measure changed, the farthest first; the whole gradient is none. */
static size_t rank_changed(const struct diff_found *found, size_t measure, size_t *ranked)
{
    size_t n = 0, j, k;

    for (j = 0; j + 1 < found->n_groups; j++) {
        const struct gtr_contrast *m = &found->comparison->group[j].measure[measure];

        if (!m->changed)
            continue;
        for (k = n; k > 0; k--) {
            const struct gtr_contrast *before =
                &found->comparison->group[ranked[k - 1]].measure[measure];
            bool ratio = measure <= GTR_MEASURE_SPREAD;
            double mine = ratio ? fabs(log(m->change)) : fabs(m->change);
            double other = ratio ? fabs(log(before->change)) : fabs(before->change);

            if (!(mine > other))
                break;
            ranked[k] = ranked[k - 1];
        }
        ranked[k] = j;
        n++;
    }
    return n;
}

/* Two decimals where they mean something. */
static const char *ratio(double value, char text[32])
{
    snprintf(text, 32, value >= 0.095 && value < 99.5 ? "%.2f" : "%.3g", value);
    return text;
}

static void put_change(FILE *f, size_t measure, const struct gtr_contrast *m)
{
    char a[32], b[32], c[32];

    if (measure == GTR_MEASURE_LEVEL || measure == GTR_MEASURE_SPREAD)
        fprintf(f, "%s times A's (%s to %s)", ratio(m->change, a), ratio(m->low, b),
                ratio(m->high, c));
    else if (measure == GTR_MEASURE_SPIKES)
        fprintf(f, "%+.1f per 1000 steps (%+.1f to %+.1f)", 1000 * m->change, 1000 * m->low,
                1000 * m->high);
    else
        fprintf(f, "%+.1f points (%+.1f to %+.1f)", 100 * m->change, 100 * m->low, 100 * m->high);
}

static void put_measure(FILE *f, const struct diff_found *found, size_t measure,
                        const size_t *ranked, size_t n)
{
    static const char *const what[] = { "norm", "spread", "spike rate", "clip rate" };
    size_t k;

    fputs("B's ", f);
    if (n == 1)
        tell_text(f, found->names[ranked[0]]);
    fprintf(f, "%s%s%s", n == 1 ? " " : "",
            what[measure < GTR_MEASURE_CLIPPED ? measure : GTR_MEASURE_CLIPPED],
            n > 1 || measure == GTR_MEASURE_LEVEL ? "s" : "");
    if (measure >= GTR_MEASURE_CLIPPED) {
        fputs(" under ", f);
        tell_text(f, found->side[0].study.labels[measure - GTR_MEASURE_CLIPPED]);
    }
    if (n == 1) {
        fputs(measure == GTR_MEASURE_LEVEL ? " are " : ": ", f);
        put_change(f, measure, &found->comparison->group[ranked[0]].measure[measure]);
        fputs(".\n", f);
        return;
    }
    fprintf(f, " differ in %zu of %zu groups:\n", n, found->n_groups - 1);
    for (k = 0; k < n && k < NAMED; k++) {
        fputs("  ", f);
        tell_text(f, found->names[ranked[k]]);
        fputs(": ", f);
        put_change(f, measure, &found->comparison->group[ranked[k]].measure[measure]);
        fputc('\n', f);
    }
    if (n > k)
        fprintf(f, "  and %zu more\n", n - k);
}

/* Groups, without the whole: changed in any way, and not judged at all. */
static void count_groups(const struct diff_found *found, size_t *changed, size_t *unjudged)
{
    size_t j, i;

    *changed = *unjudged = 0;
    for (j = 0; j + 1 < found->n_groups; j++) {
        const struct gtr_compared *group = &found->comparison->group[j];
        bool any = false, judged = false;

        for (i = 0; i < found->comparison->n_measures; i++) {
            any = any || group->measure[i].changed;
            judged = judged || !isnan(group->measure[i].p);
        }
        *changed += any ? 1 : 0;
        *unjudged += judged ? 0 : 1;
    }
}

static void put_rest(FILE *f, const struct diff_found *found)
{
    size_t n = found->n_groups - 1, changed, unjudged, rest;
    const char *noise = count_runs(found) > 2 ? "runs of one setting do" : "noise";
    const struct gtr_contrast *all = &found->comparison->group[n].measure[GTR_MEASURE_LEVEL];

    count_groups(found, &changed, &unjudged);
    rest = n - changed - unjudged;
    if (all->changed) {
        fputs("The norm of the whole gradient is ", f);
        put_change(f, GTR_MEASURE_LEVEL, all);
        fputs(".\n", f);
    }
    if (rest == 1)
        fprintf(f, "%s group does not differ by more than %s.\n", changed > 0 ? "The other" : "The",
                noise);
    else if (rest > 0 && changed > 0)
        fprintf(f, "The other %zu groups do not differ by more than %s.\n", rest, noise);
    else if (rest > 0)
        fprintf(f, "None of %zu groups differs by more than %s.\n", rest, noise);
    if (unjudged > 0)
        fprintf(f,
                "%zu of %zu groups cannot be judged: too few steps for how slowly their norms "
                "wander.\n",
                unjudged, n);
}

static void put_headline(FILE *f, const struct diff_found *found, size_t *ranked)
{
    size_t i;

    for (i = 0; i < found->comparison->n_measures; i++) {
        size_t n = rank_changed(found, i, ranked);

        if (n > 0)
            put_measure(f, found, i, ranked, n);
    }
    put_rest(f, found);
    if (found->options->n_traces == 2)
        fputs(
            "One run a side: what differs may be the seed as well as the setting.  Several runs of "
            "each\ntell: gradtrace diff A1 A2 -- B1 B2.\n",
            f);
    fputc('\n', f);
}

/* --- what is compared ---------------------------------------------------------------------- */

static void put_side(FILE *f, const struct diff_found *found, size_t s)
{
    const struct gtr_compared *all = &found->comparison->group[found->n_groups - 1];
    const struct diff_side *side = &found->side[s];
    char name[32];

    fprintf(f, "%s: ", diff_side_name(found, s, name));
    tell_text(f, gtr_trace_path(side->study.trace));
    fprintf(f, ", steps %lld to %lld", (long long)side->window.first, (long long)side->window.last);
    if (side->window.first > side->spans.first || side->window.last < side->spans.last)
        fprintf(f, " of %lld to %lld", (long long)side->spans.first, (long long)side->spans.last);
    if (count_runs(found) == 2)
        fprintf(f, " (%llu that count)", (unsigned long long)(s == 0 ? all->n_a : all->n_b));
    fputc('\n', f);
}

static void put_alone(FILE *f, const struct diff_found *found, size_t s)
{
    const struct diff_side *side = &found->side[s];
    char name[32];
    size_t k;

    if (side->n_alone == 0)
        return;
    diff_side_name(found, s, name);
    fprintf(f, count_runs(found) == 2 ? "only in %s: " : "in %s, and not in all others: ", name);
    for (k = 0; k < side->n_alone && k < 10; k++) {
        fputs(k > 0 ? ", " : "", f);
        tell_text(f, side->study.series->names[side->alone[k]]);
    }
    if (side->n_alone > k)
        fprintf(f, ", and %zu more", side->n_alone - k);
    fputc('\n', f);
}

static void put_about(FILE *f, const struct diff_found *found)
{
    size_t s;

    for (s = 0; s < count_runs(found); s++)
        put_side(f, found, s);
    for (s = 0; s < count_runs(found); s++)
        put_alone(f, found, s);
    fputc('\n', f);
}

/* --- tables -------------------------------------------------------------------------------- */

/* Of many groups: those that changed, then the first of the others. */
static bool is_shown(const struct diff_found *found, size_t j)
{
    size_t i;

    if (j < ROWS_MAX || j + 1 == found->n_groups)
        return true;
    for (i = 0; i < found->comparison->n_measures; i++)
        if (found->comparison->group[j].measure[i].changed)
            return true;
    return false;
}

static void put_norms(FILE *f, const struct diff_found *found, const struct tell_names *names)
{
    int width = (int)names->width;
    size_t j;

    fprintf(f, "  %-*s %22s %36s\n", width, "norms", "A", "B");
    fprintf(f, "  %-*s %9s %8s %8s %8s %9s %8s %8s %8s\n", width, "group", "median", "p90", "p99",
            "p90/p10", "median", "p90", "p99", "p90/p10");
    for (j = 0; j < found->n_groups; j++) {
        const struct gtr_compared *g = &found->comparison->group[j];
        const struct gtr_contrast *spread = &g->measure[GTR_MEASURE_SPREAD];

        if (!is_shown(found, j))
            continue;
        fputs("  ", f);
        tell_name(f, names, j);
        fprintf(f, " %9.3g %8.3g %8.3g %8.3g %9.3g %8.3g %8.3g %8.3g\n", g->a[0], g->a[1], g->a[2],
                spread->a, g->b[0], g->b[1], g->b[2], spread->b);
    }
    fputc('\n', f);
}

/* "1.8 (1.6 to 2)"; without a judgement only what is seen. */
static void put_ratio(FILE *f, const struct gtr_contrast *m)
{
    char text[128], a[32], b[32], c[32];

    if (isnan(m->p))
        snprintf(text, sizeof text, "%s (?)", ratio(m->b / m->a, a));
    else
        snprintf(text, sizeof text, "%s (%s to %s)", ratio(m->change, a), ratio(m->low, b),
                 ratio(m->high, c));
    fprintf(f, " %-20s", text);
}

static void put_verdict(FILE *f, const struct gtr_compared *g)
{
    static const char *const names[] = { "level", "spread", "spikes" };
    bool any = false, judged = false;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(names); i++) {
        judged = judged || !isnan(g->measure[i].p);
        if (!g->measure[i].changed)
            continue;
        fprintf(f, "%s%s", any ? ", " : "", names[i]);
        any = true;
    }
    if (!any)
        fputs(judged ? "-" : "not judged", f);
    fputc('\n', f);
}

static void put_changes(FILE *f, const struct diff_found *found, const struct tell_names *names)
{
    int width = (int)names->width;
    size_t j, hidden = 0;

    fprintf(f, "  %-*s %-41s %6s %15s\n", width, "B against A", "ratio B / A (95% interval)", "",
            "spikes/1000");
    fprintf(f, "  %-*s %-20s %-20s %6s %7s %7s  %s\n", width, "group", "level", "spread", "P(B>A)",
            "A", "B", "differs in");
    for (j = 0; j < found->n_groups; j++) {
        const struct gtr_compared *g = &found->comparison->group[j];

        if (!is_shown(found, j)) {
            hidden++;
            continue;
        }
        fputs("  ", f);
        tell_name(f, names, j);
        put_ratio(f, &g->measure[GTR_MEASURE_LEVEL]);
        put_ratio(f, &g->measure[GTR_MEASURE_SPREAD]);
        fprintf(f, " %6.2f %7.1f %7.1f  ", g->superiority, 1000 * g->measure[GTR_MEASURE_SPIKES].a,
                1000 * g->measure[GTR_MEASURE_SPIKES].b);
        put_verdict(f, g);
    }
    if (hidden > 0)
        fprintf(f, "  and %zu more that do not differ; --tsv has all\n", hidden);
    fputc('\n', f);
}

static void put_clipped(FILE *f, const struct diff_found *found, size_t measure,
                        const struct tell_names *names)
{
    char a[TELL_SIZE], b[TELL_SIZE];
    size_t j;

    fputs("  ", f);
    tell_text(f, found->side[0].study.labels[measure - GTR_MEASURE_CLIPPED]);
    fputs(": share of steps clipped\n", f);
    fprintf(f, "  %-*s %8s %8s %26s  %s\n", (int)names->width, "group", "A", "B",
            "B - A, points (95%)", "differs");
    for (j = 0; j < found->n_groups; j++) {
        const struct gtr_contrast *m = &found->comparison->group[j].measure[measure];

        if (!is_shown(found, j))
            continue;
        fputs("  ", f);
        tell_name(f, names, j);
        fprintf(f, " %8s %8s", tell_share(m->a, a), tell_share(m->b, b));
        if (isnan(m->p))
            fprintf(f, " %26s  not judged\n", "");
        else
            fprintf(f, " %+8.1f (%+6.1f to %+6.1f)  %s\n", 100 * m->change, 100 * m->low,
                    100 * m->high, m->changed ? "yes" : "-");
    }
    fputc('\n', f);
}

static void put_method_of_runs(FILE *f, const struct gtr_comparison *c)
{
    fprintf(f,
            "Each run is one observation, with its seed: %zu against %zu, compared by Student's t "
            "with %zu degrees\nof freedom.  That any of these %zu comparisons differs by accident "
            "has a chance of at most 5%% (Holm).\n",
            c->n_runs[0], c->n_runs[1], (c->n_runs[0] + c->n_runs[1] - 2) / 2 * 2, c->n_tests);
}

static void put_method(FILE *f, const struct diff_found *found)
{
    const struct gtr_comparison *c = found->comparison;
    size_t least = SIZE_MAX, most = 0, j;
    double tau = 0.0;

    if (count_runs(found) > 2) {
        put_method_of_runs(f, c);
        return;
    }
    for (j = 0; j < c->n_groups; j++) {
        size_t n = c->group[j].n_stretches;

        tau = c->group[j].tau > tau ? c->group[j].tau : tau;
        if (n == 0)
            continue;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    if (most == 0) {
        fprintf(f,
                "Nothing was judged: up to %.0f consecutive steps count as one here, so there "
                "are too few.\n",
                tau);
        return;
    }
    fprintf(f,
            "Norms of consecutive steps are alike (up to %.0f count as one here), so both runs are "
            "cut into ",
            tau);
    if (least == most)
        fprintf(f, "%zu", most);
    else
        fprintf(f, "%zu\nto %zu", least, most);
    fprintf(f,
            " stretches, compared by Student's t%s\n(Ibragimov and Mueller 2010).  That any of "
            "these %zu comparisons differs by accident has a chance of\nat most 5%% "
            "(Holm).\n",
            c->same_steps ? ", each with the same steps of the other" : "", c->n_tests);
}

void diff_report(FILE *f, const struct diff_found *found)
{
    struct tell_names names;
    size_t *ranked, i;

    tell_names_make(&names, found->names, found->n_groups, NAME_LEAST, NAME_MOST);
    put_about(f, found);
    if (gtr_alloc_for(&ranked, found->n_groups, sizeof *ranked, "groups", NULL) == GTR_OK)
        put_headline(f, found, ranked);
    gtr_free(ranked);
    put_norms(f, found, &names);
    put_changes(f, found, &names);
    for (i = GTR_MEASURE_CLIPPED; i < found->comparison->n_measures; i++)
        put_clipped(f, found, i, &names);
    put_method(f, found);
    tell_names_free(&names);
}
