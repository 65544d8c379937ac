/* segment_private.h - a folder of segments as segment_open.c and segment_read.c share it. */
#ifndef GTR_SEGMENT_PRIVATE_H
#define GTR_SEGMENT_PRIVATE_H

#include <pthread.h>

#include "journal.h"
#include "segment.h"
#include "trace_private.h"

struct gtr_segment {
    char *path;
    size_t first_row, n_rows;
    size_t first_capture, n_captures;
    bool has[GTR_NORM_COUNT];
    struct gtr_trace *file; /* NULL: not open now */
    size_t users;           /* that read from it now */
    uint64_t used;          /* when it was last asked for */
};

struct gtr_folder {
    int64_t rank;
    struct gtr_segment *segments;
    size_t n_segments, capacity;
    size_t n_rows; /* in segments */
    size_t n_left;
    struct gtr_journal *journal; /* NULL: none */
    size_t journal_from;         /* its rows before this one are in segments */
    bool param_norms;
    pthread_mutex_t lock; /* over which files are open */
    size_t n_open, most_open;
    uint64_t clock;
};

#endif
