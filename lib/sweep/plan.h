/* plan.h - which settings a sweep tries, and what number each has.
 *
 * A plan is a list of policies, each with its axes.  Settings are numbered 0, 1, ...: first all of
 * the first policy, then all of the second.  Within a policy a grid counts with the last axis
 * fastest; a sample (random, Sobol, Latin hypercube) has its points in their own order.  A setting
 * is a pure function of the plan and its number, so a sweep can be cut anywhere and joined.
 *
 * An axis, as a user writes it:
 *
 *     KEY=V1,V2,...             a list (words too: form=code,paper)
 *     KEY=A:B:N                 N values from A to B, evenly spaced
 *     KEY=A:B:N:log | :logit    evenly in ln x, or in ln(x / (1 - x))
 *     KEY=auto[:N]              for limits on norms: N (default 16) values, log-spaced, from half
 *                               of the 1 % quantile to twice the largest of the trace's own norms
 *                               above 0 (policies that decide for the whole gradient: of it; the
 *                               others: of all groups that the axis writes, taken together)
 *     KEY@GLOB=...              the same for the groups that match
 *
 * and a constraint: LEFT OP RIGHT, with keys or numbers on the sides and < <= > >= between them.
 * Points that break one keep their number and are not run.
 */
#ifndef GTR_PLAN_H
#define GTR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "setting.h"

GTR_PUBLIC_BEGIN

/* GTR_SALTELLI: for total sensitivity indices.  n_samples = N base points make N (d + 2) settings
 * of a policy of d axes: N random rows A, N more B, and for each axis k the rows of A with axis k
 * from B; setting b N + i is row i of block b = A, B, AB_1, ..., AB_d. */
enum gtr_sampling { GTR_GRID, GTR_RANDOM, GTR_SOBOL, GTR_LATIN, GTR_SALTELLI };

struct gtr_axis_text {
    size_t policy;    /* which of the policies it belongs to */
    const char *text; /* "beta=0.8:0.999:16:logit" */
};

struct gtr_plan_options {
    const char *const *policies; /* as after -p: NAME[:KEY=VALUE,...] */
    size_t n_policies;
    const struct gtr_axis_text *axes;
    size_t n_axes;
    const char *const *constraints; /* "low<high"; for the policies that have the keys */
    size_t n_constraints;
    enum gtr_sampling sampling;
    size_t n_samples; /* points of each policy that has axes; not for a grid */
    uint64_t seed;    /* of samples; 0 leaves Sobol points where they are */
};

struct gtr_plan;

/* `replay` gives the groups and, for auto ranges and quantiles, the norms; it must outlive the
 * plan.  Free with gtr_plan_free. */
enum gtr_code gtr_plan_new(const struct gtr_plan_options *options, const struct gtr_replay *replay,
                           struct gtr_plan **plan, struct gtr_err *err);
void gtr_plan_free(struct gtr_plan *plan);

size_t gtr_plan_n_settings(const struct gtr_plan *plan); /* numbers run below it */
size_t gtr_plan_n_policies(const struct gtr_plan *plan);
enum gtr_policy_id gtr_plan_policy_id(const struct gtr_plan *plan, size_t policy);
const char *gtr_plan_policy_name(const struct gtr_plan *plan, size_t policy); /* as typed */

/* The policy of a setting, and the first setting of a policy. */
size_t gtr_plan_policy_of(const struct gtr_plan *plan, size_t setting);
size_t gtr_plan_first_of(const struct gtr_plan *plan, size_t policy);

/* Knobs: all axes of all policies, in order.  Names as typed, "beta" or "max_norm@q_proj". */
size_t gtr_plan_n_knobs(const struct gtr_plan *plan);
const char *gtr_plan_knob_name(const struct gtr_plan *plan, size_t knob);
size_t gtr_plan_knob_policy(const struct gtr_plan *plan, size_t knob);
bool gtr_plan_knob_is_log(const struct gtr_plan *plan, size_t knob); /* for axes of figures */
/* Values on a knob's axis of a grid; 0 for a sample. */
size_t gtr_plan_knob_size(const struct gtr_plan *plan, size_t knob);
/* Value of a knob in a setting; NaN if the setting's policy does not have it. */
double gtr_plan_knob(const struct gtr_plan *plan, size_t setting, size_t knob);

/* Does the setting keep all constraints? */
bool gtr_plan_allows(const struct gtr_plan *plan, size_t setting);

/* Bound (and fitted) parameters, one for each group of the series: [G].  Cannot fail: everything
 * was checked when the plan was made.  Safe to call from several threads. */
void gtr_plan_params(const struct gtr_plan *plan, size_t setting, union gtr_params *params);

/* The setting as text to paste after -p.  Free with gtr_free; NULL if there is no memory. */
char *gtr_plan_text(const struct gtr_plan *plan, size_t setting);

GTR_PUBLIC_END

/* Have all groups the same parameters, in every setting of the policy?  Then gtr_plan_params_shared
 * writes those instead, a single struct: for sweeps of millions of settings. */
bool gtr_plan_is_shared(const struct gtr_plan *plan, size_t policy);
void gtr_plan_params_shared(const struct gtr_plan *plan, size_t setting, union gtr_params *params);

/* The plan as text, one line a part: equal plans have equal text, so that pieces of a sweep can be
 * held against each other.  Free with gtr_free; NULL if there is no memory. */
char *gtr_plan_describe(const struct gtr_plan *plan);

#endif
