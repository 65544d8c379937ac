/* segment_write_private.h - a folder being written, as segment_write.c and segment_end.c see it. */
#ifndef GTR_SEGMENT_WRITE_PRIVATE_H
#define GTR_SEGMENT_WRITE_PRIVATE_H

#include "journal.h"
#include "segment_private.h"
#include "writer.h"

struct segments {
    struct gtr_writer writer; /* the whole */
    struct gtr_place place;
    char *file; /* that the folder becomes when it is closed; NULL: it stays one */
    struct gtr_head head;
    struct gtr_writer_options options;
    struct gtr_journal_writer *journal;
    bool stopped;            /* head.stopped says why, and so does the journal */
    struct gtr_late late;    /* what has become known; grad_state NULL: nothing, */
    bool told;               /* or the segment that was closed last says it */
    struct gtr_writer *open; /* the segment being written; NULL until something is written */
    uint64_t first_row;      /* of the open segment */
    uint64_t n_closed;       /* rows in closed segments */
    uint64_t bytes;          /* of the open segment, before deflate */
    double started, synced;  /* clock: of the open segment, of the journal's last sync */
    bool has_elements;       /* the open segment, of completed steps */
    bool behind;             /* a write has failed: rows get into the journal only */
    uint64_t n_spared;       /* captures left out since elements are taken no more */
    uint64_t n_dropped;      /* captures left out in all */
    const uint64_t *dropped_captures; /* by the caller, so far; or NULL */
};

/* If none is open. */
enum gtr_code gtr_segments_open(struct segments *segments, struct gtr_err *err);

/* The open segment gets its name.  If it does not, its rows are in the journal still. */
enum gtr_code gtr_segments_close(struct segments *segments, struct gtr_err *err);

/* All that is to be written is: the folder is completed, or becomes a file.  *n_kept gets how many
 * steps the trace holds by its name. */
enum gtr_code gtr_segments_end(struct segments *segments, uint64_t *n_kept, struct gtr_err *err);

#endif
