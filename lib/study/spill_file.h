/* spill_file.h - excess attenuation, blame and who paid, as an HDF5 file. */
#ifndef GTR_SPILL_FILE_H
#define GTR_SPILL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "result_file.h"
#include "spill.h"

GTR_PUBLIC_BEGIN

/* What all policies share. */
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

/* Starts a result. */
enum gtr_code gtr_spill_file_open(const char *path, bool force, const struct gtr_spill_about *about,
                                  struct gtr_result **result, struct gtr_err *err);

/* Adds the next policy. */
enum gtr_code gtr_spill_file_add(struct gtr_result *result, const char *setting,
                                 const struct gtr_spill *spill, struct gtr_err *err);

GTR_PUBLIC_END

#endif
