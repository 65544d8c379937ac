/* params.h - the parameters that a setting gives to each group. */
#ifndef GTR_PARAMS_H
#define GTR_PARAMS_H

#include <stddef.h>

#include "catalogue.h"
#include "err.h"
#include "policy.h"
#include "public.h"
#include "setting.h"

GTR_PUBLIC_BEGIN

/* All parameters at their defaults. */
void gtr_params_init(enum gtr_policy_id id, union gtr_params *params);

/* One parameter by its row of the catalogue. */
double gtr_param_get(const struct gtr_param_spec *param, const union gtr_params *params);

/* Parameters for each of n named groups.  A KEY@GROUP that matches no group is an error. */
enum gtr_code gtr_setting_bind(const struct gtr_setting *setting, const char *const *groups,
                               size_t n_groups, union gtr_params *params, struct gtr_err *err);

/* Bound (and fitted) parameters as text that, parsed and bound again, gives the same ones: what is
 * equal in all groups plainly, the rest by exact group name. */
char *gtr_setting_print_bound(const struct gtr_setting *setting, const char *const *groups,
                              size_t n_groups, const union gtr_params *params);

GTR_PUBLIC_END

void gtr_param_set(const struct gtr_param_spec *param, union gtr_params *params, double value);

#endif
