/* update_file.h - what reached the optimizer, as an HDF5 file. */
#ifndef GTR_UPDATE_FILE_H
#define GTR_UPDATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "result_file.h"
#include "update.h"

GTR_PUBLIC_BEGIN

/* What all policies share. */
struct gtr_update_about {
    const char *trace;    /* path */
    const char *group_by; /* the rule */
    const struct gtr_replay *replay;
    const struct gtr_optimizer *optimizer;
    const struct gtr_update *update; /* NULL: the trace has no elements; only proxies are kept, of
                                        every step */
};

/* Starts a result. */
enum gtr_code gtr_update_file_open(const char *path, bool force,
                                   const struct gtr_update_about *about, struct gtr_result **result,
                                   struct gtr_err *err);

/* Adds the next policy, in the order of the update's lanes.  `rho` [G][T] as proxy.h makes it. */
enum gtr_code gtr_update_file_add(struct gtr_result *result, const struct gtr_update_about *about,
                                  const char *label, const char *setting,
                                  const struct gtr_decisions *decisions, const double *rho,
                                  struct gtr_err *err);

GTR_PUBLIC_END

#endif
