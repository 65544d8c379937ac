/* trace_private.h - a trace as the files that read it share it. */
#ifndef GTR_TRACE_PRIVATE_H
#define GTR_TRACE_PRIVATE_H

#include "h5.h"
#include "trace.h"

struct gtr_elements;
struct gtr_folder;

struct gtr_trace {
    struct gtr_h5 *h5;
    char *path;
    struct gtr_head head;
    struct gtr_step *steps;
    size_t n_steps;
    struct gtr_h5_table *norm[GTR_NORM_COUNT];
    int64_t *capture_rows;
    size_t n_captures;
    int64_t n_dropped;             /* captures left out by the recorder */
    struct gtr_elements *elements; /* opened as they are asked for */
    int64_t first_row;             /* of a segment in its trace; -1: a file of its own */
    uint32_t *crc;                 /* of each row, or NULL */
    struct gtr_folder *folder;     /* of a folder; it then has no h5, norm and elements */
};

/* How the matrices lie in a file. */
struct gtr_norm_dataset {
    const char *name;
    enum gtr_h5_type type;
    bool optional;
};
extern const struct gtr_norm_dataset gtr_norm_datasets[GTR_NORM_COUNT];

/* One file, whose rows are not compared with their checksums. */
enum gtr_code gtr_trace_open_file(const char *path, struct gtr_trace **trace, struct gtr_err *err);

/* Reads all rows of a file and compares them with their checksums, if it has any.  bad NULL: a row
 * that differs is an error.  Else bad[T] gets true for each row that differs or cannot be read. */
enum gtr_code gtr_trace_check_rows(const struct gtr_trace *trace, bool *bad, struct gtr_err *err);

/* The same of the elements of one capture: are all there, and as they were written? */
enum gtr_code gtr_trace_check_capture(struct gtr_trace *trace, size_t capture, struct gtr_err *err);

/* --- folders; what gtr_trace_* does for them -------------------------------------------------- */

/* rank -1: the only one.  The trace is called `path`. */
enum gtr_code gtr_folder_open(const char *path, const char *folder, int64_t rank,
                              struct gtr_trace **trace, struct gtr_err *err);
void gtr_folder_free(struct gtr_folder *folder);
bool gtr_folder_has(const struct gtr_trace *trace, enum gtr_norm norm);
bool gtr_folder_holds(const struct gtr_trace *trace, enum gtr_norm norm); /* maybe all zeros */
size_t gtr_folder_band_rows(const struct gtr_trace *trace);
enum gtr_code gtr_folder_read_rows(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                                   size_t n_rows, void *out, struct gtr_err *err);
enum gtr_code gtr_folder_check_capture(const struct gtr_trace *trace, size_t capture,
                                       struct gtr_err *err);
enum gtr_code gtr_folder_captured(const struct gtr_trace *trace, size_t tensor,
                                  struct gtr_captured *captured, struct gtr_err *err);
enum gtr_code gtr_folder_read_captured(const struct gtr_trace *trace, size_t tensor,
                                       size_t first_capture, size_t n_captures, uint64_t first,
                                       uint64_t n, void *out, size_t stride, struct gtr_err *err);

enum gtr_code gtr_elements_new(size_t n_tensors, struct gtr_elements **elements,
                               struct gtr_err *err);
void gtr_elements_free(struct gtr_elements *elements);

/* How elements of this type lie in the file. */
enum gtr_h5_type gtr_elements_type(enum gtr_dtype dtype);

#endif
