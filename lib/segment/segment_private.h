/* segment_private.h - a trace as a folder of segments, as those see it who read or write one.
 *
 *     NAME.gtr/rank0.000000000000.h5     rows 0 ..; a trace of its own, with a sum for each row
 *              rank0.000000001200.h5     rows 1200 ..
 *              rank0.000000002400.h5.tmp being written
 *              rank0.journal             rows 2400 .., one by one; see journal.h
 *              rank0.lock                held while rank 0 records
 *     NAME.h5.gtr/rank0.h5.tmp           of a single file: all of it; it becomes NAME.h5,
 *                 rank0.journal          and until then this has all rows
 *
 * Ranks share the folder and nothing else.  "NAME.gtr/rank3" names one of them where a trace is
 * wanted.
 */
#ifndef GTR_SEGMENT_PRIVATE_H
#define GTR_SEGMENT_PRIVATE_H

#include <pthread.h>

#include "journal.h"
#include "segment_recover.h"
#include "trace_private.h"

/* --- the names in a folder -------------------------------------------------------------------- */

enum gtr_segment_kind {
    GTR_SEGMENT_WHOLE,
    GTR_SEGMENT_LEFT,    /* ".tmp": being written, or its writer was killed */
    GTR_SEGMENT_JOURNAL, /* there is one of each of these three for a rank */
    GTR_SEGMENT_JOURNAL_LEFT,
    GTR_SEGMENT_FILE, /* what a file that survives becomes: of all rows, and never read here */
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

/* The folder that a file which survives is while it is written, a new string; NULL: `path` is
 * nothing that a file could replace, such as a device. */
enum gtr_code gtr_single_folder(const char *path, bool force, char **folder, struct gtr_err *err);

/* Does this path ask for a folder of segments to be written? */
bool gtr_segment_is_folder_name(const char *path);

/* Fails: a folder with n_files files of a trace, and no step in them. */
enum gtr_code gtr_segment_no_step(const char *folder, size_t n_files, struct gtr_err *err);

/* A path that names a folder of segments, or one rank in it: *folder is a new string and *rank the
 * rank or -1.  *folder is NULL if the path is neither, which is no failure; that a folder is not
 * there whose name asks for one to be recorded is one. */
enum gtr_code gtr_segment_split(const char *path, char **folder, int64_t *rank,
                                struct gtr_err *err);

/* --- remarks ---------------------------------------------------------------------------------- */

void gtr_say(const struct gtr_remarks *remarks, const char *path, bool fault, const char *format,
             ...) __attribute__((format(printf, 4, 5)));

/* An error names its file, as the remark does already. */
void gtr_say_error(const struct gtr_remarks *remarks, const char *path, const struct gtr_err *err);

/* --- reading ---------------------------------------------------------------------------------- */

struct gtr_segment {
    char *path;
    size_t first_row, n_rows;
    size_t first_capture, n_captures;
    struct gtr_trace *file; /* NULL: not open now */
    size_t users;           /* that read from it now */
    uint64_t used;          /* when it was last asked for */
};

struct gtr_folder {
    struct gtr_trace trace; /* the whole; without a file of its own */
    int64_t rank;
    struct gtr_segment *segments;
    size_t n_segments, capacity;
    size_t n_rows; /* in segments */
    size_t n_left;
    struct gtr_journal *journal; /* NULL: none */
    size_t journal_from;         /* its rows before this one are in segments */
    size_t steps_capacity, captures_capacity;
    pthread_mutex_t lock; /* over which files are open */
    size_t n_open, most_open;
    uint64_t clock;
};

extern const struct gtr_trace_form gtr_folder_form;

/* rank -1: the only one.  The trace is called `path`. */
enum gtr_code gtr_folder_open(const char *path, const char *where, int64_t rank,
                              struct gtr_trace **trace, struct gtr_err *err);

/* --- the place of one rank, while it is written ----------------------------------------------- */

struct gtr_place {
    char *folder; /* where it is written */
    char *name;   /* that the folder gets when all is written; NULL: it has it */
    int64_t rank;
    bool made; /* the folder, by this writer */
    int lock;
};

/* Locks a rank of the folder against other recorders: *lock is a descriptor, which a process that
 * ends, however it ends, gives back.  -1 on file systems without locks. */
enum gtr_code gtr_segment_lock(const char *folder, int64_t rank, int *lock, struct gtr_err *err);

/* Removes the lock's file and unlocks. */
void gtr_segment_unlock(const char *folder, int64_t rank, int lock);

/* Makes the folder unless it is there, locks the rank, and removes what the rank has in it, which
 * is an error unless `force`.  `whole`: a new folder is written beside its name.  After a failure
 * there is nothing to leave. */
enum gtr_code gtr_place_take(struct gtr_place *place, const char *folder, int64_t rank, bool whole,
                             bool force, struct gtr_err *err);

/* Makes the folder again, and what it lies in, if it has been removed. */
enum gtr_code gtr_place_make_again(const struct gtr_place *place, struct gtr_err *err);

/* Removes what the rank has there. */
enum gtr_code gtr_place_clear(const struct gtr_place *place, struct gtr_err *err);

/* Unlocks, and gives the folder its name if it has another. */
enum gtr_code gtr_place_finish(struct gtr_place *place, struct gtr_err *err);

/* Unlocks, removes a folder that this writer has made if nothing is in it, and frees. */
void gtr_place_leave(struct gtr_place *place);

/* A folder, as gtr_writer_open makes it, and whether it would.  The arguments are checked. */
enum gtr_code gtr_folder_writer_open(const char *folder, const struct gtr_head *head,
                                     const struct gtr_writer_options *options,
                                     struct gtr_writer **writer, struct gtr_err *err);

/* The same of a folder that becomes a file, `path`, when it is closed. */
enum gtr_code gtr_single_writer_open(const char *folder, const char *path,
                                     const struct gtr_head *head,
                                     const struct gtr_writer_options *options,
                                     struct gtr_writer **writer, struct gtr_err *err);
enum gtr_code gtr_folder_try(const char *folder, int64_t rank, bool force, struct gtr_err *err);

#endif
