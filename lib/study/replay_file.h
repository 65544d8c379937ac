/* replay_file.h - decisions and statistics of several settings in one HDF5 file. */
#ifndef GTR_REPLAY_FILE_H
#define GTR_REPLAY_FILE_H

#include <stdbool.h>

#include "err.h"
#include "public.h"
#include "replay.h"
#include "result_file.h"
#include "scaling.h"

GTR_PUBLIC_BEGIN

/* Starts a result: groups, steps and norms of the replay's series. */
enum gtr_code gtr_replay_file_open(const char *path, bool force, const char *trace_path,
                                   const char *group_by, const struct gtr_replay *replay,
                                   struct gtr_result **result, struct gtr_err *err);

/* Adds one setting: its label, the full text of it, its decisions and statistics. */
enum gtr_code gtr_replay_file_add(struct gtr_result *result, const char *label, const char *setting,
                                  const struct gtr_decisions *decisions,
                                  const struct gtr_scaling_report *report, struct gtr_err *err);

GTR_PUBLIC_END

#endif
