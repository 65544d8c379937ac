/* trace_private.h - a trace as the files that read it share it. */
#ifndef GTR_TRACE_PRIVATE_H
#define GTR_TRACE_PRIVATE_H

#include "crc.h"
#include "h5.h"
#include "trace.h"

/* "4096x11008" as a number of elements; a scalar is "".  False if it is anything else. */
bool gtr_shape_numel(const char *shape, uint64_t *numel);

/* --- heads ------------------------------------------------------------------------------------ */

/* The texts of a head, in the order of a file's attributes and of a journal's header, which has
 * those before GTR_HEAD_STOPPED. */
enum { GTR_HEAD_STOPPED = 6, GTR_HEAD_TEXTS = 9 };
extern const char *const gtr_head_text_names[GTR_HEAD_TEXTS];
char **gtr_head_text(const struct gtr_head *head, size_t i);

/* What one part of a trace knows of the whole that the parts before it did not know yet. */
enum gtr_code gtr_head_take_late(struct gtr_head *head, const struct gtr_head *later,
                                 struct gtr_err *err);

/* A copy that is freed by gtr_head_free; on failure there is nothing to free. */
enum gtr_code gtr_head_copy(const struct gtr_head *from, struct gtr_head *to, struct gtr_err *err);

/* What the segments of a trace must have in common; NULL if they have, else what differs, valid
 * until the next call with this buffer. */
const char *gtr_head_differs(const struct gtr_head *a, const struct gtr_head *b, char *buffer,
                             size_t size);

/* --- traces ----------------------------------------------------------------------------------- */

struct gtr_file_elements;

/* A folder of segments (lib/segment) has a struct that starts with this one, and of what is said of
 * a file nothing. */
struct gtr_trace {
    const struct gtr_trace_form *form;
    char *path;
    struct gtr_head head;
    struct gtr_step *steps;
    size_t n_steps;
    int64_t *capture_rows;
    size_t n_captures;
    int64_t n_dropped;          /* captures left out by the recorder */
    bool holds[GTR_NORM_COUNT]; /* there is such a matrix, */
    bool has[GTR_NORM_COUNT];   /* and something was written to it */
    size_t band_rows[GTR_NORM_COUNT];

    /* Of a file. */
    struct gtr_h5 *h5;
    struct gtr_h5_table *norm[GTR_NORM_COUNT];
    struct gtr_file_elements *elements; /* opened as they are asked for */
    int64_t first_row;                  /* of a segment in its trace; -1: a file of its own */
    uint32_t *crc;                      /* of each row, or NULL */
};

/* What the functions of trace.h ask of a trace, whose arguments they have checked. */
struct gtr_trace_form {
    enum gtr_code (*read_rows)(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                               size_t n_rows, void *out, struct gtr_err *err);
    enum gtr_code (*captured)(const struct gtr_trace *trace, size_t tensor,
                              struct gtr_captured *captured, struct gtr_err *err);
    /* `captured` is of this tensor, and the part is one of it. */
    enum gtr_code (*read_captured)(const struct gtr_trace *trace, size_t tensor,
                                   const struct gtr_captured *captured,
                                   const struct gtr_h5_part *part, void *out, size_t stride,
                                   struct gtr_err *err);
    enum gtr_code (*check_capture)(const struct gtr_trace *trace, size_t capture,
                                   struct gtr_err *err);
    void (*close)(struct gtr_trace *trace); /* what is not of all traces */
};

/* How the matrices lie in a file. */
struct gtr_norm_dataset {
    const char *name;
    enum gtr_h5_type type;
    bool optional;
};
extern const struct gtr_norm_dataset gtr_norm_datasets[GTR_NORM_COUNT];

/* How steps do, in the order of struct gtr_step.  The last is there only if it is not all 0. */
enum { STEP_INDEX, STEP_LOSS, STEP_LR, STEP_TIME, STEP_SCALE, STEP_SKIPPED, STEP_REST, STEP_COUNT };
struct gtr_step_column {
    const char *name;
    enum gtr_h5_type type;
    size_t at; /* in the struct */
};
extern const struct gtr_step_column gtr_step_columns[STEP_COUNT];

/* What is said of tensors in words: datasets, of which files without groups have not the last. */
enum { TEXT_NAME, TEXT_SHAPE, TEXT_DTYPE, TEXT_GROUP, TEXT_COUNT };
extern const char *const gtr_tensor_texts[TEXT_COUNT];

/* One file, whose rows are not compared with their checksums.  One that was open before is not
 * tried out again; see gtr_trace_try_files. */
enum gtr_code gtr_trace_open_file(const char *path, bool again, struct gtr_trace **trace,
                                  struct gtr_err *err);

/* Rows of all matrices; zeros of those that are not there. */
enum gtr_code gtr_trace_read_all(const struct gtr_trace *trace, size_t first, size_t n_rows,
                                 struct gtr_rows *rows, struct gtr_err *err);

/* Reads all rows of a file and compares them with their checksums, if it has any.  bad NULL: a row
 * that differs is an error.  Else bad[T] gets true for each row that differs or cannot be read. */
enum gtr_code gtr_trace_check_rows(const struct gtr_trace *trace, bool *bad, struct gtr_err *err);

/* Of any trace, the elements of one capture: are all there, and as they were written? */
enum gtr_code gtr_trace_check_capture(const struct gtr_trace *trace, size_t capture,
                                      struct gtr_err *err);

/* --- the form of a file, in parts ------------------------------------------------------------- */

enum gtr_code gtr_file_check_capture(const struct gtr_trace *trace, size_t capture,
                                     struct gtr_err *err);
enum gtr_code gtr_file_captured(const struct gtr_trace *trace, size_t tensor,
                                struct gtr_captured *captured, struct gtr_err *err);
enum gtr_code gtr_file_read_captured(const struct gtr_trace *trace, size_t tensor,
                                     const struct gtr_captured *captured,
                                     const struct gtr_h5_part *part, void *out, size_t stride,
                                     struct gtr_err *err);
enum gtr_code gtr_elements_new(size_t n_tensors, struct gtr_file_elements **elements,
                               struct gtr_err *err);
void gtr_elements_free(struct gtr_file_elements *elements);

/* How elements of this type lie in the file. */
enum gtr_h5_type gtr_elements_type(enum gtr_dtype dtype);

#endif
