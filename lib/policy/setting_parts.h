/* setting_parts.h - what a setting is made of; for the files setting*.c, and for plans of sweeps,
 * whose axes are entries of a setting with several values. */
#ifndef GTR_SETTING_PARTS_H
#define GTR_SETTING_PARTS_H

#include "params.h"

/* KEY@GLOB=VALUE. */
struct gtr_override {
    const struct gtr_param_spec *param;
    char *glob; /* as typed, backslashes included */
    double value;
};

struct gtr_setting {
    char *text;
    char *name;
    const struct gtr_policy_spec *policy;
    union gtr_params params;        /* of a group that no override names */
    struct gtr_override *overrides; /* in the order in which they apply */
    size_t n_overrides;
    size_t capacity;
};

/* Characters before the first `end` that has no backslash before it, or before the end of text. */
size_t gtr_setting_span(const char *text, char end);

/* Cuts `text` at that `end` and returns what follows it, or NULL if there is none. */
char *gtr_setting_cut(char *text, char end);

/* Sets one parameter; the other of a limit and its quantile goes back to its default. */
void gtr_setting_assign(const struct gtr_policy_spec *policy, const struct gtr_param_spec *param,
                        union gtr_params *params, double value);

/* Reads a VALUE.  `setting` and `key` are for the error: "aggc: beta=2: must be from 0 to 1". */
enum gtr_code gtr_setting_read_value(const char *setting, const char *key,
                                     const struct gtr_param_spec *param, const char *text,
                                     double *value, struct gtr_err *err);

/* The errors of a KEY that the policy does not have, and of a glob that matches no group. */
enum gtr_code gtr_setting_unknown_key(const struct gtr_setting *setting, const char *key,
                                      struct gtr_err *err);
/* May the parameter have values by group? */
enum gtr_code gtr_setting_check_groups(const struct gtr_setting *setting,
                                       const struct gtr_param_spec *param, struct gtr_err *err);
enum gtr_code gtr_setting_no_group(const struct gtr_setting *setting, const char *glob,
                                   const char *const *groups, size_t n_groups, struct gtr_err *err);

/* Word `index` of "code|paper|fixed": its start, and its length in *length; NULL if there are not
 * so many. */
const char *gtr_setting_word(const char *choices, size_t index, size_t *length);

/* "a, b, c" of n names, or "a, b, ..." of as many as fit; size is at least 4. */
void gtr_setting_join(const char *const *names, size_t n, char *list, size_t size);

#endif
