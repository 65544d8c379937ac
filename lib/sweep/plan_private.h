/* plan_private.h - what a plan is made of; for the files plan*.c only. */
#ifndef GTR_PLAN_PRIVATE_H
#define GTR_PLAN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"
#include "setting_parts.h"

enum {
    GTR_PLAN_SETTINGS_MAX =
        1000000000,            /* also what 32-bit Sobol points and strata can tell apart */
    GTR_SOBOL_DIMENSIONS = 32, /* rows of the table in plan_sample.c */
    GTR_SOBOL_BITS = 32
};

enum gtr_spacing { GTR_SPACED_LIST, GTR_SPACED_LINEAR, GTR_SPACED_LOG, GTR_SPACED_LOGIT };

struct gtr_axis {
    size_t policy;
    char *name; /* KEY or KEY@GLOB, as typed */
    const struct gtr_param_spec *param;
    size_t *groups; /* that it writes; NULL: all */
    size_t n_groups;
    enum gtr_spacing spacing;
    size_t n_values;
    double *values;   /* of a list; NULL for a range */
    double low, high; /* ends of a range */
    double from, to;  /* the same where the range is even: as they are, in ln or in logit */
    size_t stride;    /* of a grid: settings until the next value */
    uint32_t direction[GTR_SOBOL_BITS]; /* of a Sobol sample */
};

/* LEFT OP RIGHT for one policy. */
struct gtr_rule {
    size_t policy;
    const struct gtr_param_spec *param[2]; /* NULL: the number */
    double number[2];
    bool above, strict; /* > and >=; < and > */
};

struct gtr_planned {
    struct gtr_setting *setting;
    union gtr_params *base; /* [G] as bound, not fitted */
    size_t first, n_settings;
    size_t first_axis, n_axes;
};

struct gtr_plan {
    const struct gtr_replay *replay; /* borrowed */
    const struct gtr_series *series;
    enum gtr_sampling sampling;
    size_t n_samples;
    uint64_t seed;
    struct gtr_planned *policies;
    size_t n_policies;
    struct gtr_axis *axes; /* those of the first policy first */
    size_t n_axes;
    struct gtr_rule *rules;
    size_t n_rules;
    size_t n_settings;
    double *sorted; /* [G][n_sorted] norms for quantiles; NULL if nothing asks for one */
    size_t n_sorted;
};

/* --- plan_axis.c: what the user wrote --------------------------------------------------------- */

enum gtr_code gtr_axis_parse(struct gtr_axis *axis, const struct gtr_setting *setting,
                             const char *text, const struct gtr_replay *replay,
                             struct gtr_err *err);
void gtr_axis_clear(struct gtr_axis *axis);

double gtr_axis_pick(const struct gtr_axis *axis, size_t value); /* of n_values */
double gtr_axis_at(const struct gtr_axis *axis, double part);    /* part in [0, 1) */

/* Writes the value where the axis says. */
void gtr_axis_apply(const struct gtr_axis *axis, const struct gtr_policy_spec *policy, double value,
                    union gtr_params *params, size_t n_groups);

/* --- plan_rule.c: constraints ----------------------------------------------------------------- */

enum gtr_code gtr_rules_parse(struct gtr_plan *plan, const char *const *texts, size_t n,
                              struct gtr_err *err);
bool gtr_rule_holds(const struct gtr_rule *rule, const union gtr_params *params);

/* --- plan_sample.c: points in [0, 1) ---------------------------------------------------------- */

/* What a sample takes of axis `axis` of a policy at point `point`. */
double gtr_sample_part(const struct gtr_plan *plan, size_t policy, size_t axis, size_t point);

/* A permutation of 0 .. n - 1 that needs no memory: where `i` goes under `key`. */
uint64_t gtr_sample_permute(uint64_t i, uint64_t n, uint64_t key);

/* The direction numbers of one of GTR_SOBOL_DIMENSIONS dimensions, and a point made of them: its
 * first 32 bits behind the point. */
void gtr_sobol_direction(size_t dimension, uint32_t direction[GTR_SOBOL_BITS]);
uint32_t gtr_sobol_point(const uint32_t direction[GTR_SOBOL_BITS], uint64_t point);

#endif
