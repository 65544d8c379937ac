/* result.h - decisions and statistics of several settings in one HDF5 file.
 *
 * traces/FORMAT.md describes the file.  It appears whole, when closed.
 */
#ifndef GTR_RESULT_H
#define GTR_RESULT_H

#include <stdbool.h>

#include "err.h"
#include "replay.h"
#include "scaling.h"

GTR_PUBLIC_BEGIN

struct gtr_result;

/* Starts a result under a temporary name: groups, steps and norms of the replay's series. */
enum gtr_code gtr_result_open(const char *path, bool force, const char *trace_path,
                              const char *group_by, const struct gtr_replay *replay,
                              struct gtr_result **result, struct gtr_err *err);

/* Adds one setting: its label, the full text of it, its decisions and statistics. */
enum gtr_code gtr_result_add(struct gtr_result *result, const char *label, const char *setting,
                             const struct gtr_decisions *decisions,
                             const struct gtr_scaling_report *report, struct gtr_err *err);

/* Completes the file, or removes it; both free the result and take NULL. */
enum gtr_code gtr_result_close(struct gtr_result *result, struct gtr_err *err);
void gtr_result_abandon(struct gtr_result *result);

GTR_PUBLIC_END

#endif
