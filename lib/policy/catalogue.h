/* catalogue.h - what the policies are called, what their parameters mean, which presets exist.
 *
 * Names, bounds, defaults and help exist here once; parsing, `gradtrace info --policies` and
 * sweeps are made from them.  All of it is static data.
 */
#ifndef GTR_CATALOGUE_H
#define GTR_CATALOGUE_H

#include <stddef.h>

#include "err.h"
#include "policy_list.h"

GTR_PUBLIC_BEGIN

union gtr_params; /* parameters of one lane, see params.h */

struct gtr_param_spec {
    const char *name;
    size_t offset;       /* of a double in the policy's params struct */
    double standard;     /* the default */
    double min, max;     /* allowed, both ends included */
    const char *choices; /* "code|paper|fixed": value i is the i-th word; NULL for a number */
    const char *help;
    const char *source; /* who has it: "torch", "paper, code", "ours" */
};

struct gtr_policy_spec {
    enum gtr_policy_id id;
    const char *name;
    const char *summary;
    const char *source; /* paper and equation, or repository and file */
    const struct gtr_param_spec *params;
    size_t n_params;
    int whole_gradient; /* 1: one decision for all tensors, also those that a rule left out */
    /* The parameter that `GROUP=VALUE` sets for one group, e.g. group:q_proj=0.5; NULL if the
     * policy has none. */
    const char *per_group;
    /* Turns `fit_key`, a parameter given as a property of the recorded norms (group's quantile),
     * into an explicit per_group value, and fit_key back to its default, which is below 0 and
     * means "not asked for".  `sorted` are the group's norms, upward, n >= 0 of them.  NULL, both,
     * for most policies. */
    void (*fit)(union gtr_params *params, const double *sorted, size_t n);
    /* 1 if these parameters change with the progress of the run, so that its planned length must
     * be known.  NULL for most. */
    int (*needs_plan)(const union gtr_params *params);
    const char *fit_key;
};

/* A named setting: `text` is parsed as if the user had typed it after "POLICY:". */
struct gtr_preset {
    const char *name;
    enum gtr_policy_id id;
    const char *text;
    const char *summary;
    const char *source;
};

const struct gtr_policy_spec *gtr_policy_spec(enum gtr_policy_id id);
const struct gtr_policy_spec *gtr_policy_find(const char *name); /* NULL if none */
const struct gtr_param_spec *gtr_param_find(const struct gtr_policy_spec *policy, const char *name);

const struct gtr_preset *gtr_presets(size_t *n_presets);
const struct gtr_preset *gtr_preset_find(const char *name);

GTR_PUBLIC_END

/* What decides for a group: GTR_NONE if the grouping rule left it out of clipping, unless the
 * policy decides for all tensors at once. */
enum gtr_policy_id gtr_policy_of_group(enum gtr_policy_id policy, int left_out);

#endif
