/* writer.h - a trace being written, as its forms and those who feed it ahead see it. */
#ifndef GTR_WRITER_H
#define GTR_WRITER_H

#include "crc.h"
#include "trace.h"

/* What the functions of trace.h need of any writer: of a file, or of a folder of segments. */
struct gtr_writer {
    const struct gtr_writer_form *form;
    int64_t owner; /* process that opened it */
    size_t n_tensors;
    bool param_norms, has_elements;
    size_t n_steps;
    int64_t last_index;
    bool nan_counts;
    const uint64_t *nan;    /* [P] of the next step, or NULL */
    size_t n_pending;       /* tensors given for the capture under way */
    bool ahead;             /* rows are secured before they are appended, */
    size_t n_secured;       /* so many; of the thread that does */
    struct gtr_err failure; /* of a write; from then on nothing is written */
    struct gtr_err spared;  /* why elements are taken no more, though steps are; OK: they are */
};

/* What may become known while a trace is written.  Texts are words of the format, and static. */
struct gtr_late {
    const char *grad_state;
    const char *total_steps_from; /* NULL: total_steps is the run's plan */
    int64_t total_steps;
};

/* A writer's arguments, its owner and its failure are looked at before.  A failure of the first
 * three is kept, unless it is the caller's, GTR_EUSAGE, which must have changed nothing. */
struct gtr_writer_form {
    enum gtr_code (*append)(struct gtr_writer *writer, const struct gtr_row *row,
                            struct gtr_err *err);
    enum gtr_code (*amend)(struct gtr_writer *writer, double applied_scale, bool skipped,
                           struct gtr_err *err);
    enum gtr_code (*elements)(struct gtr_writer *writer, size_t tensor, const void *elements,
                              struct gtr_err *err);
    enum gtr_code (*stopped)(struct gtr_writer *writer, const char *why, struct gtr_err *err);
    enum gtr_code (*know)(struct gtr_writer *writer, const struct gtr_late *late,
                          struct gtr_err *err);
    enum gtr_code (*close)(struct gtr_writer *writer, struct gtr_err *err);
    void (*abandon)(struct gtr_writer *writer);

    /* NULL where nothing outlives the process before close. */
    enum gtr_code (*secure)(struct gtr_writer *writer, const struct gtr_row *row,
                            struct gtr_err *err);
    enum gtr_code (*secure_amend)(struct gtr_writer *writer, double applied_scale, bool skipped,
                                  struct gtr_err *err);
    enum gtr_code (*secure_know)(struct gtr_writer *writer, const struct gtr_late *late,
                                 struct gtr_err *err);
    enum gtr_code (*settle)(struct gtr_writer *writer, struct gtr_err *err);
};

/* A writer that is to have this form. */
void gtr_writer_init(struct gtr_writer *writer, const struct gtr_writer_form *form,
                     const struct gtr_head *head, const struct gtr_writer_options *options);

/* What is known by now, at any time before close: the trace says what it was told last. */
enum gtr_code gtr_writer_know(struct gtr_writer *writer, const struct gtr_late *late,
                              struct gtr_err *err);

/* --- ahead of the writer ----------------------------------------------------------------------
 *
 * A caller whose rows wait in a queue sets `ahead`: from then on it secures each row, each
 * amendment and what becomes known before it appends, amends or tells it, which may then be later
 * and on another thread. */

/* Once this has returned, the row outlives the process; or the change of the row secured last.  A
 * file has no such promise to give, and nothing is done. */
enum gtr_code gtr_writer_secure(struct gtr_writer *writer, const struct gtr_row *row,
                                struct gtr_err *err);
enum gtr_code gtr_writer_secure_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                                      struct gtr_err *err);

enum gtr_code gtr_writer_secure_know(struct gtr_writer *writer, const struct gtr_late *late,
                                     struct gtr_err *err);

/* Nothing was appended or secured: not worth a trace. */
bool gtr_writer_is_empty(const struct gtr_writer *writer);

/* The last step will not be amended any more: what is due is brought to its place. */
enum gtr_code gtr_writer_settle(struct gtr_writer *writer, struct gtr_err *err);

/* --- files ------------------------------------------------------------------------------------ */

/* A file, as gtr_writer_open makes it; the arguments are checked.  first_row GTR_FILE_ALONE: one of
 * its own.
 * Else a segment, with the temporary name `path`.tmp and checksums, whose first row is that of the
 * trace, or GTR_FILE_INSIDE: only its temporary name is a segment's. */
enum { GTR_FILE_ALONE = -1, GTR_FILE_INSIDE = -2 };
enum gtr_code gtr_file_writer_open(const char *path, const struct gtr_head *head,
                                   const struct gtr_writer_options *options, int64_t first_row,
                                   struct gtr_writer **writer, struct gtr_err *err);

/* After a failure: back to the last whole step, from which it goes on without elements, and says
 * why.  spared NULL: only the last rows come, for which there is some room aside. */
enum gtr_code gtr_file_writer_go_on(struct gtr_writer *writer, const char *spared,
                                    struct gtr_err *err);

/* Bytes of the elements that a segment keeps of a tensor; 0 of a file without checksums. */
size_t gtr_segment_writer_kept_bytes(const struct gtr_writer *writer, size_t tensor);

#endif
