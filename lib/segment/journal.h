/* journal.h - the norm rows of a segment that is not closed yet, in an append-only file.
 *
 * A killed process leaves an HDF5 file that was being written unreadable, so each step also goes at
 * once, by one write(), to the journal.  What a process has written outlives the process, whatever
 * kills it; it does not outlive a power failure until the system has brought it to the disk.
 *
 *     file     header record, then rows in order; an amend record changes the row before it
 *     record   u32 kind | u32 n | n bytes | u32 CRC-32 of all that
 *     header   u32 version | u32 1 if rows have param_sumsq | u64 first row | the head
 *     row      u64 number | what crc.h sums
 *     amend    u64 number | f64 applied_scale | u8 skipped
 *     know     i64 total_steps | grad_state[16] | total_steps_from[16]: instead of the header's
 *     spare    text: why no more elements come, though norms do
 *     stop     text: why no more rows come, though the run goes on
 *
 * The sizes of rows, which with a rest are of a kind of their own, follow from the header.  So a
 * file that ends within a record was torn there by its writer's end, which is no damage, while a
 * record of another size or sum was altered.
 */
#ifndef GTR_JOURNAL_H
#define GTR_JOURNAL_H

#include <stdio.h>

#include "crc.h"
#include "trace.h"
#include "writer.h"

/* --- records ---------------------------------------------------------------------------------- */

/* Kinds are four letters, so that the start of a record can be found again after damage. */
#define GTR_JOURNAL_HEADER UINT32_C(0x6872544a) /* "JTrh" */
#define GTR_JOURNAL_ROW    UINT32_C(0x7772544a) /* "JTrw" */
#define GTR_JOURNAL_REST   UINT32_C(0x7272544a) /* "JTrr": a row with a rest */
#define GTR_JOURNAL_AMEND  UINT32_C(0x6d61544a) /* "JTam" */
#define GTR_JOURNAL_KNOW   UINT32_C(0x6e6b544a) /* "JTkn" */
#define GTR_JOURNAL_SPARE  UINT32_C(0x7073544a) /* "JTsp" */
#define GTR_JOURNAL_STOP   UINT32_C(0x7473544a) /* "JTst" */

/* Of the length of a text that is not known, as against an empty one. */
#define GTR_JOURNAL_NO_TEXT UINT32_MAX

enum {
    GTR_JOURNAL_VERSION = 2, /* 1: rows and what becomes known had no more than they had then */
    GTR_JOURNAL_BEFORE = 8,  /* bytes of a record before what it holds: kind and length */
    GTR_JOURNAL_AFTER = 4,   /* the sum */
    GTR_JOURNAL_AMEND_BYTES = 17,
    GTR_JOURNAL_WORD = 16, /* bytes of a word that is known, zeros behind it */
    GTR_JOURNAL_KNOW_BYTES = 8 + 2 * GTR_JOURNAL_WORD,
    GTR_JOURNAL_STOP_MOST = 255 /* bytes of the text, at least 1; of a spare's too */
};

/* --- reading ---------------------------------------------------------------------------------- */

struct gtr_journal_row {
    uint64_t number; /* in the trace */
    struct gtr_step step;
    const unsigned char *values; /* gtr_row_bytes of them, unaligned */
};

struct gtr_journal {
    char *path;
    unsigned char *bytes; /* the file */
    size_t n_bytes;
    struct gtr_head head;
    bool param_norms;
    uint64_t first_row;
    struct gtr_journal_row *rows;
    size_t n_rows, capacity;
    bool torn;           /* the file ends within a record */
    size_t n_altered;    /* places where records are not what they should be; salvaging only */
    uint64_t altered_at; /* byte of the first of them */
};

/* Reads any bytes as a journal.  Takes `bytes`, whatever comes of it, which gtr_alloc gave.  An
 * altered record is an error; when salvaging it is counted and left out, and the rows after it are
 * kept, whose numbers then leave gaps.  Nothing can be salvaged without the header. */
enum gtr_code gtr_journal_read(const char *path, unsigned char *bytes, size_t n_bytes, bool salvage,
                               struct gtr_journal **journal, struct gtr_err *err);

/* The same of a file.  *journal is NULL if there is no such file, which is no failure. */
enum gtr_code gtr_journal_load(const char *path, bool salvage, struct gtr_journal **journal,
                               struct gtr_err *err);
void gtr_journal_free(struct gtr_journal *journal);

/* One row of a matrix, n_tensors values. */
void gtr_journal_values(const struct gtr_journal *journal, size_t row, enum gtr_norm norm,
                        void *out);

/* --- writing ---------------------------------------------------------------------------------- */

/* One thread may append and amend while another restarts and syncs. */
struct gtr_journal_writer;

/* Makes the journal under a temporary name and gives it its own; a journal that had the name before
 * is gone from then on, and not earlier. */
enum gtr_code gtr_journal_create(const char *path, const struct gtr_head *head, bool param_norms,
                                 uint64_t first_row, bool sync, struct gtr_journal_writer **writer,
                                 struct gtr_err *err);

/* The next row.  Once this has returned, it outlives the process.  After a failure the journal ends
 * with the record before. */
enum gtr_code gtr_journal_append(struct gtr_journal_writer *writer, const struct gtr_row *row,
                                 struct gtr_err *err);

/* Changes the last row, of which there must be one. */
enum gtr_code gtr_journal_amend(struct gtr_journal_writer *writer, double applied_scale,
                                bool skipped, struct gtr_err *err);

/* No more rows come, and why: head.stopped for readers. */
enum gtr_code gtr_journal_stop(struct gtr_journal_writer *writer, const char *why,
                               struct gtr_err *err);

/* What is known by now; a journal that takes the place of this one says it as well. */
enum gtr_code gtr_journal_know(struct gtr_journal_writer *writer, const struct gtr_late *late,
                               struct gtr_err *err);

/* No more elements come, and why: head.elements_stopped for readers.  Told once. */
enum gtr_code gtr_journal_spare(struct gtr_journal_writer *writer, const char *why,
                                struct gtr_err *err);

/* The number that the next row will have. */
uint64_t gtr_journal_next(struct gtr_journal_writer *writer);

/* Rows before first_row are in a segment by now: a new journal, of those from there on, takes the
 * name.  At every moment one of the two has it and all those rows.  On failure the old one stays.
 */
enum gtr_code gtr_journal_restart(struct gtr_journal_writer *writer, const struct gtr_head *head,
                                  uint64_t first_row, struct gtr_err *err);

/* Brings to the disk what was written so far. */
enum gtr_code gtr_journal_sync(struct gtr_journal_writer *writer, struct gtr_err *err);

/* The file stays.  Takes NULL. */
void gtr_journal_close(struct gtr_journal_writer *writer);

#endif
