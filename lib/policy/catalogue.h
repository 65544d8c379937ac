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
    /* What a sweep tries when it is asked for `auto`: "A:B:N[:log|:logit]" or words; NULL for
     * limits on norms, whose range is found from the trace, and for what has none. */
    const char *range;
};

/* What a policy may need of a trace besides its norms. */
enum gtr_policy_need {
    GTR_NEED_LOSS = 1,
    GTR_NEED_MAXABS = 2,
    GTR_NEED_WEIGHTS = 4,
    GTR_NEED_NUMEL = 8
};

struct gtr_look;

struct gtr_policy_spec {
    enum gtr_policy_id id;
    const char *name;
    const char *summary;
    const char *source; /* paper and equation, or repository and file */
    const struct gtr_param_spec *params;
    size_t n_params;
    enum gtr_unit unit; /* what one decision is about, of policy_list.h */
    int by_group;       /* of a policy for the whole gradient: KEY@GROUP is allowed even so */
    /* enum gtr_policy_need, or 0: a trace without it is refused by name.  NULL: nothing. */
    unsigned (*needs)(const union gtr_params *params);
    unsigned may_need;           /* of any parameters */
    const struct gtr_look *look; /* what lanes are given of the past; NULL for most */
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

/* Each policy's entry, in the catalogue_*.c that has its parameters. */
#define X(ID, stem, unit) extern const struct gtr_policy_spec gtr_spec_##stem;
GTR_POLICIES(X)
#undef X

/* What decides for a group: GTR_NONE if the grouping rule left it out of clipping, unless the
 * policy decides for all tensors at once. */
enum gtr_policy_id gtr_policy_of_group(enum gtr_policy_id policy, int left_out);

#endif
