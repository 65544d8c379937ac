/* segment.h - a trace as a folder of segments: the names in it.
 *
 *     NAME.gtr/rank0.000000000000.h5     rows 0 ..; a trace of its own, with a sum for each row
 *              rank0.000000001200.h5     rows 1200 ..
 *              rank0.000000002400.h5.tmp being written
 *              rank0.journal             rows 2400 .., one by one; see journal.h
 *              rank0.lock                held while rank 0 records
 *
 * Ranks share the folder and nothing else.  "NAME.gtr/rank3" names one of them where a trace is
 * wanted.
 */
#ifndef GTR_SEGMENT_H
#define GTR_SEGMENT_H

#include "crc.h"
#include "trace.h"

enum gtr_segment_kind {
    GTR_SEGMENT_WHOLE,
    GTR_SEGMENT_LEFT,    /* ".tmp": being written, or its writer was killed */
    GTR_SEGMENT_JOURNAL, /* there is one of each of these three for a rank */
    GTR_SEGMENT_JOURNAL_LEFT,
    GTR_SEGMENT_LOCK
};

struct gtr_segment_file {
    char *path;
    enum gtr_segment_kind kind;
    int64_t rank;
    uint64_t first_row; /* of segments */
};

/* Files of a folder that carry such names, by rank, kind and first row. */
struct gtr_segment_list {
    struct gtr_segment_file *files;
    size_t n, capacity;
};

/* Those of one rank, or of all (-1). */
enum gtr_code gtr_segment_list_read(const char *folder, int64_t rank, struct gtr_segment_list *list,
                                    struct gtr_err *err);
void gtr_segment_list_free(struct gtr_segment_list *list);

/* The paths, as new strings; `end` is "journal" or "lock". */
enum gtr_code gtr_segment_path(const char *folder, int64_t rank, uint64_t first_row, char **path,
                               struct gtr_err *err);
enum gtr_code gtr_segment_rank_path(const char *folder, int64_t rank, const char *end, char **path,
                                    struct gtr_err *err);

/* Does this path ask for a folder of segments to be written? */
bool gtr_segment_is_folder_name(const char *path);

/* A path that names a folder of segments, or one rank in it: *folder is a new string and *rank the
 * rank or -1.  *folder is NULL if the path is neither, which is no failure. */
enum gtr_code gtr_segment_split(const char *path, char **folder, int64_t *rank,
                                struct gtr_err *err);

#endif
