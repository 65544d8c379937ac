/* outfile.h - a file that appears whole or not at all.
 *
 * Bytes go to a temporary file in the same folder; commit syncs it and gives it its name, and a
 * file that is there already stays unless `force` said otherwise.  Devices and pipes (/dev/null,
 * a FIFO) are written straight: there is nothing to protect.  A link stays one, and what it leads
 * to is what is written.
 */
#ifndef GTR_OUTFILE_H
#define GTR_OUTFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

GTR_PUBLIC_BEGIN

struct gtr_outfile {
    char *path;      /* the name it will have, as the user gave it */
    char *target;    /* and where links in it lead; NULL: it is no link */
    char *temporary; /* the name it has until then; NULL for a device */
    bool force;
};

/* Chooses the temporary name and creates it empty.  On failure nothing is left behind.  The
 * caller writes to gtr_outfile_name(), then calls commit or abandon; both free everything. */
enum gtr_code gtr_outfile_begin(struct gtr_outfile *out, const char *path, bool force,
                                struct gtr_err *err);
const char *gtr_outfile_name(const struct gtr_outfile *out);

/* Where the file will lie: `path`, or what it leads to if it is a link. */
const char *gtr_outfile_place(const struct gtr_outfile *out);

/* The file gets its name, durably.  On failure the temporary file is gone. */
enum gtr_code gtr_outfile_commit(struct gtr_outfile *out, struct gtr_err *err);

/* Takes a zeroed or ended struct too. */
void gtr_outfile_abandon(struct gtr_outfile *out);

/* Syncs the folder that `path` lies in, so that a new name in it is durable. */
void gtr_folder_sync(const char *path);

/* Closes `f`, telling a failed write (disk full) that buffering had hidden. */
enum gtr_code gtr_file_close(FILE *f, const char *path, struct gtr_err *err);

GTR_PUBLIC_END

/* All n bytes of any file at `at`, whatever interrupts.  Returns how many there were; fewer: errno
 * tells why, or is 0 at the end of the file. */
size_t gtr_read_at(int fd, void *bytes, size_t n, uint64_t at);
size_t gtr_write_at(int fd, const void *bytes, size_t n, uint64_t at);

#endif
