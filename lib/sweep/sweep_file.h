/* sweep_file.h - the result of a sweep, or of a piece of one, as an HDF5 file.
 *
 * traces/FORMAT.md describes the file.  It holds nothing that depends on how the sweep was run, so
 * one run in a piece, a resumed one and joined shards give the same bytes.
 */
#ifndef GTR_SWEEP_FILE_H
#define GTR_SWEEP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "err.h"
#include "plan.h"
#include "public.h"

GTR_PUBLIC_BEGIN

/* What the rows are about; two pieces of one sweep differ in `first` and `count` only. */
struct gtr_sweep_about {
    char *trace;         /* file name, without its folder */
    char *group_by;      /* rule */
    char *context;       /* whatever else the numbers depend on: steps planned, baseline, ... */
    char *plan;          /* gtr_plan_describe */
    uint64_t n_settings; /* of the whole plan */
    uint64_t first, count;
};

/* Settings first .. first + count - 1 of this sweep.  `context` gets a digest of the norms, so that
 * pieces are never joined over different traces.  Free with gtr_sweep_about_free. */
enum gtr_code gtr_sweep_about_fill(struct gtr_sweep_about *about, const char *trace_path,
                                   const char *group_by, const struct gtr_replay *replay,
                                   const struct gtr_baseline *baseline, const struct gtr_plan *plan,
                                   bool scales_only, struct gtr_err *err);
void gtr_sweep_about_free(struct gtr_sweep_about *about);

/* rows: [count][GTR_OBJECTIVE_COUNT].  The file appears whole. */
enum gtr_code gtr_sweep_file_write(const char *path, bool force,
                                   const struct gtr_sweep_about *about, const struct gtr_plan *plan,
                                   const double *rows, struct gtr_err *err);

/* Reads one back; the caller frees *about with gtr_sweep_about_free and *rows with gtr_free.  The
 * rows that it claims lie among the plan's settings. */
enum gtr_code gtr_sweep_file_read(const char *path, struct gtr_sweep_about *about, double **rows,
                                  struct gtr_err *err);

/* Puts the rows of a part of the sweep that `whole` is about into rows[n_settings], and says so in
 * have[n_settings].  A part of another sweep is refused, and one whose rows differ from those that
 * are there; what was there stays. */
enum gtr_code gtr_sweep_file_join(const char *path, const struct gtr_sweep_about *whole,
                                  double *rows, bool *have, struct gtr_err *err);

/* --- the journal of a sweep under way ------------------------------------------------------------
 *
 * Blocks of finished rows, each with a checksum, appended to PATH.part.  A sweep that was killed
 * reads back what is whole, and goes on behind it.  A journal of another sweep is refused.
 */
struct gtr_sweep_journal;

/* Opens or makes the journal of the result `path`; *n_done rows are read into `rows`. */
enum gtr_code gtr_sweep_journal_open(const char *path, const struct gtr_sweep_about *about,
                                     struct gtr_sweep_journal **journal, double *rows,
                                     size_t *n_done, struct gtr_err *err);
enum gtr_code gtr_sweep_journal_append(struct gtr_sweep_journal *journal, const double *rows,
                                       size_t n, struct gtr_err *err);

/* `finished`: the result is written and the journal goes.  Takes NULL. */
void gtr_sweep_journal_close(struct gtr_sweep_journal *journal, bool finished);

GTR_PUBLIC_END

#endif
