/* trace.h - a recorded run: reading and writing trace files, version 1.
 *
 * A trace has T steps (rows) and P tensors (columns).  traces/FORMAT.md describes the file to
 * those who read it with other tools.  Reading never loads the [T][P] matrices whole: rows come
 * in bands.
 */
#ifndef GTR_TRACE_H
#define GTR_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sample.h"

GTR_PUBLIC_BEGIN

enum {
    GTR_FORMAT_VERSION = 1,
    GTR_META_MAX = 60000 /* bytes: HDF5 keeps attributes in a block of 64 KiB */
};

/* Type of the gradient in the run, and of its captured elements. */
enum gtr_dtype { GTR_F32, GTR_F16, GTR_BF16, GTR_F64, GTR_DTYPE_COUNT };

const char *gtr_dtype_name(enum gtr_dtype dtype); /* "f32", static */
size_t gtr_dtype_size(enum gtr_dtype dtype);      /* bytes of one element */

struct gtr_tensor {
    char *name;     /* as the framework names it */
    char *shape;    /* "4096x11008"; "" for a scalar */
    uint64_t numel; /* elements */
    enum gtr_dtype dtype;
    char *param_group; /* of the optimizer, or NULL if that is not known */
};

/* What is known about the run as a whole.  Strings are owned by the struct that holds them. */
struct gtr_head {
    char *producer;         /* program that wrote the file */
    char *created;          /* ISO 8601, or NULL */
    char *reduction;        /* none | sum | mean: what was done over ranks */
    char *grad_state;       /* pre-clip | post-clip | unknown */
    char *meta;             /* a JSON object */
    char *group_by;         /* rule that fits this trace, or NULL for the default */
    char *stopped;          /* why the recording ended before the run did, or NULL */
    char *total_steps_from; /* "rows": nobody told a plan, and the run ended by itself after so
                             * many; NULL: total_steps is what the run planned */
    char *elements_stopped; /* why elements end before the norms do, or NULL */
    int64_t rank;
    int64_t world_size;
    int64_t total_steps; /* planned length of the run; 0 if unknown */
    struct gtr_tensor *tensors;
    size_t n_tensors;
    size_t capacity; /* of tensors */
};

/* Defaults, nothing allocated but what _free frees.  The setters copy; on failure the head is
 * unchanged. */
enum gtr_code gtr_head_init(struct gtr_head *head, struct gtr_err *err);
void gtr_head_free(struct gtr_head *head);
enum gtr_code gtr_head_set(char **field, const char *text, struct gtr_err *err);
enum gtr_code gtr_head_add_tensor(struct gtr_head *head, const char *name, const char *shape,
                                  uint64_t numel, enum gtr_dtype dtype, struct gtr_err *err);

/* Names the optimizer's parameter group of the last tensor added. */
enum gtr_code gtr_head_set_param_group(struct gtr_head *head, const char *name,
                                       struct gtr_err *err);

/* What is known about one step besides its norms.  NaN: unknown. */
struct gtr_step {
    int64_t index; /* the run's own number, strictly increasing */
    double loss;
    double lr;
    double time;          /* seconds since the first step */
    double applied_scale; /* the global scale that the run itself applied */
    bool skipped;         /* the run left this update out */
    double rest;          /* sum of squares of what the whole gradient has beyond the tensors of the
                           * trace, such as parameters that came later; 0: nothing */
};

/* How many steps lie between rows: the difference that most rows have from the row before; where
 * no difference has a majority, the mean, rounded.  1 for fewer than three rows, which cannot tell.
 * Logs of other programs most often have one row in some steps: what is counted in rows is then no
 * count of steps. */
int64_t gtr_steps_stride(const struct gtr_step *steps, size_t n_steps);

/* --- reading ------------------------------------------------------------------------------- */

struct gtr_trace;

/* The matrices of a trace, [T][P] each. */
enum gtr_norm {
    GTR_SUMSQ,       /* double: sum of squares of the finite elements */
    GTR_MAXABS,      /* float: largest magnitude of the finite elements */
    GTR_NONFINITE,   /* uint64_t: count of NaN and infinite elements */
    GTR_PARAM_SUMSQ, /* double, optional: the same sum over the weights */
    GTR_NAN,         /* uint64_t, optional: how many of GTR_NONFINITE are NaN, the rest infinite */
    GTR_NORM_COUNT
};

/* Opens and checks a trace: header, tensors, steps, shapes.  Errors name the file and the
 * dataset.  Nothing is allocated that the file's size cannot justify.
 *
 * `path` is a file, a folder of segments that one rank has recorded, or "FOLDER/rankN".  All rows
 * of segments are read once, to compare them with their checksums. */
enum gtr_code gtr_trace_open(const char *path, struct gtr_trace **trace, struct gtr_err *err);
void gtr_trace_close(struct gtr_trace *trace);

/* HDF5 does not survive reading some damaged files.  A program that reads what others send it may
 * have each file tried out by a child process before it is opened: from now on, in the whole
 * process, and not until this was called.  It forks, so it is nothing for processes that train. */
void gtr_trace_try_files(bool on);

/* What a folder of segments is made of. */
struct gtr_trace_folder {
    int64_t rank;
    size_t n_segments;
    size_t n_journal_rows; /* that are in no segment: the recorder runs still, or was killed */
    size_t n_left;         /* segments that were never closed */
};

/* False if the trace is a file. */
bool gtr_trace_is_folder(const struct gtr_trace *trace, struct gtr_trace_folder *folder);

/* Borrowed, valid until close. */
const char *gtr_trace_path(const struct gtr_trace *trace);
const struct gtr_head *gtr_trace_head(const struct gtr_trace *trace);
const struct gtr_step *gtr_trace_steps(const struct gtr_trace *trace); /* n_steps of them */
size_t gtr_trace_n_steps(const struct gtr_trace *trace);
int64_t gtr_trace_stride(const struct gtr_trace *trace); /* gtr_steps_stride of its steps */
/* False if the matrix is missing or was never written, which reads as all zeros. */
bool gtr_trace_has(const struct gtr_trace *trace, enum gtr_norm norm);

/* Rows come in bands of consecutive steps, shaped by how the file stores them.  All bands but the
 * last have gtr_trace_band_rows rows. */
size_t gtr_trace_band_rows(const struct gtr_trace *trace, enum gtr_norm norm);
size_t gtr_trace_n_bands(const struct gtr_trace *trace, enum gtr_norm norm);

/* Reads band `band` as [rows][P] into `out`, which has room for band_rows rows.  Safe to call
 * from several threads at once.  Values are checked: a sum of squares is a number >= 0.  Of a trace
 * without the matrix, counts of bad elements are 0 and largest magnitudes NaN; weights fail. */
enum gtr_code gtr_trace_read_band(const struct gtr_trace *trace, enum gtr_norm norm, size_t band,
                                  void *out, struct gtr_err *err);

/* Rows first .. first + n_rows - 1 as [n_rows][P].  For tools that look at few rows. */
enum gtr_code gtr_trace_read_rows(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                                  size_t n_rows, void *out, struct gtr_err *err);

/* Captured elements: rows of the trace that have them. */
size_t gtr_trace_n_captures(const struct gtr_trace *trace);
const int64_t *gtr_trace_capture_rows(const struct gtr_trace *trace);
/* And how many more the recorder left out because its queue was full.  Of a folder, as far as its
 * closed segments know. */
uint64_t gtr_trace_n_dropped(const struct gtr_trace *trace);

/* What was captured of one tensor.  A sample is made of aligned blocks of `block` elements, the
 * same at every capture; see sample.h. */
struct gtr_captured {
    uint64_t n;      /* elements at each capture; 0: none of this tensor */
    bool sampled;    /* false: all of the tensor's elements */
    int64_t block;   /* of a sample: elements of a block */
    double fraction; /* share of the blocks that was asked for */
    int64_t seed;
    size_t chunk_rows, chunk_cols; /* reading is cheapest in whole chunks */
};

enum gtr_code gtr_trace_captured(const struct gtr_trace *trace, size_t tensor,
                                 struct gtr_captured *captured, struct gtr_err *err);

/* The same in brief, for tools that look at few: elements of each capture (0: none), and all of one
 * capture. */
size_t gtr_trace_n_elements(const struct gtr_trace *trace, size_t tensor);
enum gtr_code gtr_trace_read_elements(struct gtr_trace *trace, size_t tensor, size_t capture,
                                      void *out, struct gtr_err *err);

/* Elements first .. first + n - 1 of the tensor at captures first_capture .. + n_captures - 1, in
 * its own dtype (f16 and bf16 as uint16_t): capture r of them at out + r * stride bytes.  Safe to
 * call from several threads at once. */
enum gtr_code gtr_trace_read_captured(const struct gtr_trace *trace, size_t tensor,
                                      size_t first_capture, size_t n_captures, uint64_t first,
                                      uint64_t n, void *out, size_t stride, struct gtr_err *err);

/* --- writing ------------------------------------------------------------------------------- */

struct gtr_writer;

/* How captured elements are kept: deflated (traces/FORMAT.md says how), or as they are, which is as
 * fast as the disk and takes some 15 % more of it (f32; bf16: 40 %). */
enum gtr_compression { GTR_COMPRESS_DEFLATE, GTR_COMPRESS_NONE };

struct gtr_writer_options {
    size_t size;                      /* set by _init */
    bool force;                       /* replace an existing file */
    bool elements;                    /* the trace will hold elements of every tensor */
    bool param_norms;                 /* and sums of squares of the weights */
    struct gtr_sample sampling;       /* of the elements; fraction 0: all of them are kept */
    enum gtr_compression compression; /* of the elements */
    size_t n_threads; /* that deflate elements; 0: all processors.  No file depends on it */
    bool checksums;   /* one for each row and capture, which verify looks at; folders have them */

    bool whole; /* a new folder has another name until it is closed, as files have in any case */

    /* Of folders; traces/FORMAT.md says how they are written.  A segment is closed when it holds
     * this many bytes, or elements that are so old. */
    uint64_t segment_bytes; /* 0: 256 MiB */
    double segment_seconds; /* 0: 30 */
    bool sync;              /* each step reaches the disk before append returns: it then survives a
                             * power failure too, and not only the end of the process */
    bool nan_counts; /* gtr_writer_nan will say of each step which elements were NaN; files only */
    const uint64_t *dropped_captures; /* NULL, or how many captures the caller has left out so far:
                                       * read when the file is closed, an attribute of the root */

    /* Of a file: until it is closed it is a folder of segments, PATH.gtr, which a SIGKILL leaves
     * with all steps; gtr_trace_save makes the file of it. */
    bool survives;
    uint64_t *n_kept; /* NULL, or gets how many steps the trace holds by its name once closed */
};

/* All zeros. */
void gtr_writer_options_init(struct gtr_writer_options *options, size_t size);
#define gtr_writer_options_init(options) gtr_writer_options_init((options), sizeof *(options))

/* Starts a trace under a temporary name in the same folder.  `head` is copied into the file and
 * need not outlive the call.
 *
 * A path that ends in ".gtr" is a folder of segments.  Each step is then in it, whatever kills the
 * process, once its append has returned; elements once their segment is closed.  One recorder at a
 * time writes a rank of a folder; another is refused and changes nothing.  A writer belongs to the
 * process that opened it: in a forked child all calls fail and change nothing. */
enum gtr_code gtr_writer_open(const char *path, const struct gtr_head *head,
                              const struct gtr_writer_options *options, struct gtr_writer **writer,
                              struct gtr_err *err);

/* Appends one step: P values each; param_sumsq NULL unless asked for at open.  On failure the
 * file still holds the steps already appended. */
enum gtr_code gtr_writer_append(struct gtr_writer *writer, const struct gtr_step *step,
                                const double *sumsq, const float *maxabs, const uint64_t *nonfinite,
                                const double *param_sumsq, struct gtr_err *err);

/* Of the step appended next, [P]: how many of its non-finite elements are NaN.  Not copied; 0 if it
 * is not given.  Nothing happens if the trace does not count them. */
enum gtr_code gtr_writer_nan(struct gtr_writer *writer, const uint64_t *nan, struct gtr_err *err);

/* Changes the last appended step's applied_scale and skipped. */
enum gtr_code gtr_writer_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                               struct gtr_err *err);

/* Elements of the step appended next: all tensors of one capture, each once, in any order.  Of a
 * sample only those that are kept, one behind the other. */
enum gtr_code gtr_writer_elements(struct gtr_writer *writer, size_t tensor, const void *elements,
                                  struct gtr_err *err);

/* Closes and gives the file its name; or, abandoning, removes it.  Both free the writer. */
enum gtr_code gtr_writer_close(struct gtr_writer *writer, struct gtr_err *err);
void gtr_writer_abandon(struct gtr_writer *writer);

GTR_PUBLIC_END

bool gtr_dtype_find(const char *name, enum gtr_dtype *dtype);

/* The recording ends here though the run goes on: the trace will say why.  Before close. */
enum gtr_code gtr_writer_stopped(struct gtr_writer *writer, const char *why, struct gtr_err *err);

/* Whether gtr_writer_open would find a place to write to, of a file one that survives: told before
 * a run starts.  Leaves nothing behind. */
enum gtr_code gtr_writer_try(const char *path, int64_t rank, bool force, struct gtr_err *err);

#endif
