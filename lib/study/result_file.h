/* result_file.h - a result on its way into an HDF5 file.
 *
 * replay_file.h, spill_file.h and update_file.h start one under a temporary name and add policies
 * to it; the file appears whole, when closed.  traces/FORMAT.md describes what is in each.
 */
#ifndef GTR_RESULT_FILE_H
#define GTR_RESULT_FILE_H

#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

struct gtr_result;

/* Completes the file, or removes it if anything failed since it was opened. */
enum gtr_code gtr_result_close(struct gtr_result *result, struct gtr_err *err);

/* Removes it.  Both free the result and take NULL. */
void gtr_result_abandon(struct gtr_result *result);

GTR_PUBLIC_END

#endif
