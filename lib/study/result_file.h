/* result_file.h - results of a replay, of spill-over and of simulated updates as HDF5 files.
 *
 * Each is started under a temporary name, and policies are added to it; the file appears whole,
 * when closed.  traces/FORMAT.md describes what is in each.
 */
#ifndef GTR_RESULT_FILE_H
#define GTR_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "scaling.h"
#include "spill.h"
#include "update.h"

GTR_PUBLIC_BEGIN

struct gtr_result;

/* Completes the file, or removes it if anything failed since it was opened. */
enum gtr_code gtr_result_close(struct gtr_result *result, struct gtr_err *err);

/* Removes it.  Both free the result and take NULL. */
void gtr_result_abandon(struct gtr_result *result);

/* --- replay: decisions and statistics of several settings ------------------------------------- */

/* Starts a result: groups, steps and norms of the replay's series. */
enum gtr_code gtr_replay_file_open(const char *path, bool force, const char *trace_path,
                                   const char *group_by, const struct gtr_replay *replay,
                                   struct gtr_result **result, struct gtr_err *err);

/* Adds one setting: its label, the full text of it, its decisions and statistics. */
enum gtr_code gtr_replay_file_add(struct gtr_result *result, const char *label, const char *setting,
                                  const struct gtr_decisions *decisions,
                                  const struct gtr_scaling_report *report, struct gtr_err *err);

/* --- spill-over: excess attenuation, blame and who paid --------------------------------------- */

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

/* --- updates: what reached the optimizer ------------------------------------------------------ */

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
