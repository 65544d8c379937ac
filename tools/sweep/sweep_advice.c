/* sweep_advice.c - the recommendation as people should take it: ranges that the recording bears, a
 * setting with no more digits than that and without knobs that change nothing, and what it does.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep_found.h"

/* --- ranges ----------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double between(double a, double b)
{
    return a > 0.0 && b > 0.0 ? sqrt(a) * sqrt(b) : 0.5 * (a + b);
}

/* Out to the middle between the values that were tried: the best one lies anywhere there. */
static void widen(const struct sweep_found *found, size_t n, size_t knob, struct gtr_span *range)
{
    double below = -HUGE_VAL, above = HUGE_VAL;
    size_t i;

    for (i = 0; i < n; i++) {
        double x = found->knobs[i * found->n_knobs + knob];

        if (x < range->low && x > below)
            below = x;
        if (x > range->high && x < above)
            above = x;
    }
    if (isfinite(below))
        range->low = between(below, range->low);
    if (isfinite(above))
        range->high = between(above, range->high);
}

/* Where the draws put a knob of a policy that is recommended at row `at`. */
static void find_range(struct sweep_found *found, const struct sweep_results *results,
                       const size_t *drawn, size_t at, size_t knob)
{
    double values[GTR_BOOTSTRAP_DRAWS], mine = found->knobs[at * found->n_knobs + knob];
    struct gtr_span *range = &found->range[knob];
    size_t n = 0, i;

    for (i = 0; i < GTR_BOOTSTRAP_DRAWS; i++)
        if (drawn[i] != GTR_NO_ROW)
            values[n++] = found->knobs[drawn[i] * found->n_knobs + knob];
    *range = (struct gtr_span){ mine, mine };
    if (n > 0) {
        qsort(values, n, sizeof *values, by_value);
        range->low = fmin(mine, values[n / SWEEP_DRAWS_OUT]);
        range->high = fmax(mine, values[n - 1 - n / SWEEP_DRAWS_OUT]);
    }
    widen(found, results->n, knob, range);
}

/* Of every policy, among its own settings. */
static void find_ranges(struct sweep_found *found, const struct sweep_results *results)
{
    const struct gtr_bootstrap *boot = found->bootstrap;
    size_t k, policy, at;

    for (k = 0; k < found->n_knobs; k++) {
        policy = gtr_plan_knob_policy(results->plan, k);
        at = boot->chosen[policy];
        if (at != GTR_NO_ROW && !isnan(found->knobs[at * found->n_knobs + k]))
            find_range(found, results, boot->drawn + policy * GTR_BOOTSTRAP_DRAWS, at, k);
    }
}

double sweep_agreement(const struct sweep_found *found, const struct sweep_results *results,
                       size_t policy)
{
    const size_t *drawn =
        found->bootstrap->drawn + found->bootstrap->n_policies * GTR_BOOTSTRAP_DRAWS;
    size_t alike = 0, i;

    for (i = 0; i < GTR_BOOTSTRAP_DRAWS; i++)
        alike += drawn[i] != GTR_NO_ROW &&
                         gtr_plan_policy_of(results->plan, results->first + drawn[i]) == policy
                     ? 1
                     : 0;
    return (double)alike / GTR_BOOTSTRAP_DRAWS;
}

/* --- the setting ------------------------------------------------------------------------------ */

/* Two digits; near 1 two digits of what is missing to it. */
void sweep_digits(double x, char text[SWEEP_NAME_SIZE])
{
    double rest = 1.0 - x;
    int digits;

    if (!(x > 0.95 && x < 1.0)) {
        snprintf(text, SWEEP_NAME_SIZE, "%.2g", x);
        if (fabs(x) >= 100.0 && fabs(x) < 1e6) /* and not 1.2e+02 */
            snprintf(text, SWEEP_NAME_SIZE, "%.0f", strtod(text, NULL));
        return;
    }
    digits = (int)ceil(-log10(rest)) + 1;
    snprintf(text, SWEEP_NAME_SIZE, "%.*f", digits < 2 ? 2 : digits > 15 ? 15 : digits, x);
}

/* A number of a setting with more than three digits as sweep_digits has it. */
static void put_value(FILE *f, const char *value, size_t length)
{
    char own[SWEEP_NAME_SIZE], text[SWEEP_NAME_SIZE], *end;
    double x;

    snprintf(own, sizeof own, "%.*s", (int)length, value);
    x = strtod(own, &end);
    if (*end != '\0' || end == own || length < 5) {
        fprintf(f, "%.*s", (int)length, value);
        return;
    }
    sweep_digits(x, text);
    fputs(text, f);
}

/* `text` with its numbers shortened, and without the keys in `drop` ("low,raise"); `add` at its
 * end.  NULL if there is no memory. */
static char *rewrite(const char *text, const char *drop, const char *add)
{
    const char *colon = strchr(text, ':'), *at;
    size_t size = 0;
    char *out = NULL;
    FILE *f = open_memstream(&out, &size);
    bool any = false;

    if (f == NULL)
        return NULL;
    fprintf(f, "%.*s", colon != NULL ? (int)(colon - text) : (int)strlen(text), text);
    for (at = colon; at != NULL && *at != '\0';) {
        size_t length = strcspn(at + 1, ","), key = strcspn(at + 1, "=,");
        char name[SWEEP_NAME_SIZE];

        snprintf(name, sizeof name, ",%.*s,", (int)key, at + 1);
        if (strstr(drop, name) == NULL) {
            fputs(any ? "," : ":", f);
            fprintf(f, "%.*s", (int)key + (key < length ? 1 : 0), at + 1);
            if (key < length)
                put_value(f, at + 2 + key, length - key - 1);
            any = true;
        }
        at += 1 + length;
    }
    if (add[0] != '\0')
        fprintf(f, "%s%s", any ? "," : ":", add);
    fclose(f);
    return out;
}

/* What the setting `text` does; false if it is none or there is no memory. */
static bool try_text(const struct sweep_results *results, const char *text,
                     double objectives[GTR_OBJECTIVE_COUNT], struct gtr_decisions **decisions)
{
    const struct study *study = results->study;
    struct gtr_setting *setting = NULL;
    bool done = text != NULL && gtr_setting_parse(text, &setting, NULL) == GTR_OK &&
                gtr_replay_run(study->replay, setting, decisions, NULL) == GTR_OK &&
                gtr_sweep_one(study->replay, results->baseline, (*decisions)->policy,
                              (*decisions)->params, 0, objectives, NULL) == GTR_OK;

    gtr_setting_free(setting);
    return done;
}

/* Takes the text if it does the same as what is there, to the bit. */
static void try_plainer(struct sweep_found *found, const struct sweep_results *results,
                        const char *drop, const char *add)
{
    char *plainer = rewrite(found->text, drop, add);
    double objectives[GTR_OBJECTIVE_COUNT];
    struct gtr_decisions *decisions = NULL;

    if (plainer != NULL && strlen(plainer) < strlen(found->text) &&
        try_text(results, plainer, objectives, &decisions) &&
        decisions->policy == found->decisions->policy &&
        memcmp(decisions->scale, found->decisions->scale,
               decisions->n_groups * decisions->n_steps * sizeof *decisions->scale) == 0) {
        struct gtr_decisions *before = found->decisions;

        free(found->text);
        found->text = plainer;
        plainer = NULL;
        found->decisions = decisions;
        decisions = before;
    }
    gtr_decisions_free(decisions);
    free(plainer);
}

static enum gtr_code make_text(struct sweep_found *found, const struct sweep_results *results,
                               struct gtr_err *err)
{
    char *exact = gtr_plan_text(results->plan, results->first + found->advice->knee);

    found->text = exact != NULL ? rewrite(exact, "", "") : NULL;
    if (found->text == NULL ||
        !try_text(results, found->text, found->objectives, &found->decisions)) {
        gtr_decisions_free(found->decisions);
        found->decisions = NULL;
        free(found->text);
        found->text = exact != NULL ? strdup(exact) : NULL;
        if (!try_text(results, found->text, found->objectives, &found->decisions)) {
            gtr_free(exact);
            return gtr_fail(err, GTR_ENOMEM, "no memory for the recommended setting");
        }
    }
    gtr_free(exact);
    gtr_trust_fill(results->study->replay, found->decisions, 0, found->decisions->n_groups,
                   &found->trust);
    /* A floor of 0 raises nothing: it goes, with all that is about raising. */
    if (strstr(found->text, "low=0,") != NULL)
        try_plainer(found, results, ",low,low_late,raise,", "raise=off");
    return GTR_OK;
}

enum gtr_code sweep_advise(struct sweep_found *found, const struct sweep_options *options,
                           const struct sweep_results *results, struct gtr_err *err)
{
    const struct gtr_bootstrap_options boot = { .goals = found->goals,
                                                .n_goals =
                                                    options->goals_asked ? found->n_goals : 0,
                                                .limits = found->limits,
                                                .n_limits = options->limits.n,
                                                .cost = GTR_CALM_COST,
                                                .seed = options->seed,
                                                .n_threads = options->common.n_threads };
    enum gtr_code rc =
        gtr_alloc_for(&found->range, found->n_knobs, sizeof *found->range, "knobs", err);
    size_t k;

    for (k = 0; rc == GTR_OK && k < found->n_knobs; k++)
        found->range[k] = (struct gtr_span){ (double)NAN, (double)NAN };
    if (rc == GTR_OK)
        rc = gtr_bootstrap_new(results->study->replay, results->baseline, results->plan,
                               results->first, results->rows, results->n, found->keep, &boot,
                               &found->bootstrap, err);
    if (rc == GTR_OK && !options->goals_asked)
        found->advice->knee = found->bootstrap->chosen[found->bootstrap->n_policies];
    if (rc != GTR_OK || found->advice->knee == GTR_NO_ROW)
        return rc;
    find_ranges(found, results);
    return make_text(found, results, err);
}
