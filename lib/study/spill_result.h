/* spill_result.h - excess attenuation, blame and who paid, as an HDF5 file.
 *
 * traces/FORMAT.md describes the file.  It appears whole, when closed.
 */
#ifndef GTR_SPILL_RESULT_H
#define GTR_SPILL_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "spill.h"

GTR_PUBLIC_BEGIN

struct gtr_spill_result;

/* What all policies share.  Borrowed until the result is closed. */
struct gtr_spill_about {
    const char *trace;    /* path */
    const char *group_by; /* the rule */
    const struct gtr_replay *replay;
    const struct gtr_baseline *baseline;
    const char *method;                   /* "shapley" */
    double cost;                          /* that the recommended limit may have */
    const struct gtr_spill_point *chosen; /* the recommended limit */
    const struct gtr_spill_point *points; /* [n_points] the curve */
    size_t n_points;
};

/* Starts a result under a temporary name. */
enum gtr_code gtr_spill_result_open(const char *path, bool force,
                                    const struct gtr_spill_about *about,
                                    struct gtr_spill_result **result, struct gtr_err *err);

/* Adds the next policy. */
enum gtr_code gtr_spill_result_add(struct gtr_spill_result *result, const char *setting,
                                   const struct gtr_spill *spill, struct gtr_err *err);

/* Completes the file, or removes it; both free the result and take NULL. */
enum gtr_code gtr_spill_result_close(struct gtr_spill_result *result, struct gtr_err *err);
void gtr_spill_result_abandon(struct gtr_spill_result *result);

GTR_PUBLIC_END

#endif
