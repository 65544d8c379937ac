/* update_read.c - elements from the trace into memory, ranges on threads. */
#include <string.h>

#include "alloc.h"
#include "threads.h"
#include "update_parts.h"

struct job {
    const struct gtr_update_reading *reading;
    struct gtr_err *errs; /* [workers]; code 0 as long as all went well */
};

static void read_range(void *context, size_t item, size_t worker)
{
    const struct job *job = context;
    const struct gtr_update_reading *reading = job->reading;
    const struct gtr_update_slice *slice = reading->slice;
    const struct gtr_update_range *range = &slice->ranges[item];
    struct gtr_err *err = &job->errs[worker];

    if (err->code != GTR_OK)
        return;
    gtr_trace_read_captured(reading->trace, reading->plan->tensors[range->tensor].tensor,
                            reading->first, reading->n_rows, range->first, range->n,
                            reading->rows + range->offset, slice->batch.row_bytes, err);
}

enum gtr_code gtr_update_read(const struct gtr_update_reading *reading, struct gtr_err *err)
{
    size_t workers = gtr_threads_count(reading->n_threads, reading->slice->n_ranges), i;
    struct job job = { .reading = reading };
    enum gtr_code rc;

    rc = gtr_alloc_for(&job.errs, workers, sizeof *job.errs, "readers", err);
    if (rc != GTR_OK)
        return rc;
    gtr_threads_run(workers, reading->slice->n_ranges, read_range, &job);
    for (i = 0; rc == GTR_OK && i < workers; i++)
        if (job.errs[i].code != GTR_OK)
            rc = gtr_err_set(err, job.errs[i].code, job.errs[i].file, job.errs[i].line, "%s",
                             job.errs[i].text);
    gtr_free(job.errs);
    return rc;
}
