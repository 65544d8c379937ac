/* update_result.h - what reached the optimizer, as an HDF5 file.
 *
 * traces/FORMAT.md describes the file.  It appears whole, when closed.
 */
#ifndef GTR_UPDATE_RESULT_H
#define GTR_UPDATE_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "update.h"

GTR_PUBLIC_BEGIN

struct gtr_update_result;

/* What all policies share.  Borrowed until the result is closed. */
struct gtr_update_about {
    const char *trace;    /* path */
    const char *group_by; /* the rule */
    const struct gtr_replay *replay;
    const struct gtr_optimizer *optimizer;
    const struct gtr_update *update; /* NULL: the trace has no elements; only proxies are kept, of
                                        every step */
};

/* Starts a result under a temporary name. */
enum gtr_code gtr_update_result_open(const char *path, bool force,
                                     const struct gtr_update_about *about,
                                     struct gtr_update_result **result, struct gtr_err *err);

/* Adds the next policy, in the order of the update's lanes.  `rho` [G][T] as proxy.h makes it. */
enum gtr_code gtr_update_result_add(struct gtr_update_result *result, const char *label,
                                    const char *setting, const struct gtr_decisions *decisions,
                                    const double *rho, struct gtr_err *err);

/* Completes the file, or removes it; both free the result and take NULL. */
enum gtr_code gtr_update_result_close(struct gtr_update_result *result, struct gtr_err *err);
void gtr_update_result_abandon(struct gtr_update_result *result);

GTR_PUBLIC_END

#endif
