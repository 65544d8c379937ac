/* journal.c - read a journal, of which any byte may be anything.
 *
 * The head in a header record is
 *
 *     i64 rank | i64 world_size | i64 total_steps
 *     text producer, created, reduction, grad_state, meta, group_by
 *     u64 P, then for each tensor: text name, shape, dtype, param_group | u64 numel
 *
 * where a text is its length as u32 and its bytes; a length of 2^32 - 1 is a text not known.
 */
#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "outfile.h"
#include "trace_private.h"

/* What is left to be read of some bytes. */
struct cursor {
    const unsigned char *at;
    size_t n;
    bool failed; /* more was asked for than there was */
};

static void take(struct cursor *cursor, void *out, size_t n)
{
    if (cursor->failed || n > cursor->n) {
        cursor->failed = true;
        memset(out, 0, n);
        return;
    }
    memcpy(out, cursor->at, n);
    cursor->at += n;
    cursor->n -= n;
}

static uint32_t take_u32(struct cursor *cursor)
{
    uint32_t value;

    take(cursor, &value, sizeof value);
    return value;
}

static uint64_t take_u64(struct cursor *cursor)
{
    uint64_t value;

    take(cursor, &value, sizeof value);
    return value;
}

/* *text is a new string, or NULL; what it held is freed. */
static enum gtr_code take_text(struct cursor *cursor, char **text, struct gtr_err *err)
{
    uint32_t n = take_u32(cursor);
    enum gtr_code rc;

    gtr_free(*text);
    *text = NULL;
    if (cursor->failed || n == GTR_JOURNAL_NO_TEXT)
        return GTR_OK;
    if (n > cursor->n) {
        cursor->failed = true;
        return GTR_OK;
    }
    rc = gtr_alloc_for(text, (size_t)n + 1, 1, "bytes", err);
    if (rc == GTR_OK)
        take(cursor, *text, n);
    return rc;
}

/* --- the header ------------------------------------------------------------------------------- */

static enum gtr_code take_tensor(struct cursor *cursor, struct gtr_head *head, struct gtr_err *err)
{
    char *texts[4] = { NULL };
    enum gtr_code rc = GTR_OK;
    enum gtr_dtype dtype;
    uint64_t numel;
    size_t i;

    for (i = 0; rc == GTR_OK && i < 4; i++)
        rc = take_text(cursor, &texts[i], err);
    numel = take_u64(cursor);
    if (rc == GTR_OK && (cursor->failed || texts[0] == NULL || texts[1] == NULL ||
                         texts[2] == NULL || !gtr_dtype_find(texts[2], &dtype)))
        cursor->failed = true;
    else if (rc == GTR_OK)
        rc = gtr_head_add_tensor(head, texts[0], texts[1], numel, dtype, err);
    if (rc == GTR_OK && !cursor->failed && texts[3] != NULL)
        rc = gtr_head_set_param_group(head, texts[3], err);
    for (i = 0; i < 4; i++)
        gtr_free(texts[i]);
    return rc;
}

static enum gtr_code take_head(struct cursor *cursor, struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    uint64_t n_tensors, i;

    head->rank = (int64_t)take_u64(cursor);
    head->world_size = (int64_t)take_u64(cursor);
    head->total_steps = (int64_t)take_u64(cursor);
    for (i = 0; rc == GTR_OK && i < GTR_HEAD_STOPPED; i++)
        rc = take_text(cursor, gtr_head_text(head, i), err);
    n_tensors = take_u64(cursor);
    for (i = 0; rc == GTR_OK && !cursor->failed && i < n_tensors; i++)
        rc = take_tensor(cursor, head, err);
    /* What readers of traces rely on to be there. */
    if (head->producer == NULL || head->reduction == NULL || head->grad_state == NULL ||
        head->meta == NULL || head->total_steps < 0 || n_tensors == 0 || cursor->n > 0)
        cursor->failed = true;
    return rc;
}

static enum gtr_code bad_header(const struct gtr_journal *journal, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%s: is damaged: its first record is not a journal's header",
                    journal->path);
}

/* *used gets the length of the record. */
static enum gtr_code read_header(struct gtr_journal *journal, size_t *used, struct gtr_err *err)
{
    struct cursor file = { journal->bytes, journal->n_bytes, false }, cursor;
    uint32_t kind = take_u32(&file), n = take_u32(&file), sum, version;
    enum gtr_code rc;

    if (file.failed || kind != GTR_JOURNAL_HEADER || n > file.n || file.n - n < GTR_JOURNAL_AFTER)
        return bad_header(journal, err);
    cursor = (struct cursor){ file.at, n, false };
    *used = GTR_JOURNAL_BEFORE + (size_t)n + GTR_JOURNAL_AFTER;
    memcpy(&sum, file.at + n, sizeof sum);
    if (sum != gtr_crc_bytes(0, journal->bytes, GTR_JOURNAL_BEFORE + (size_t)n))
        return bad_header(journal, err);
    version = take_u32(&cursor);
    if (version < 1 || version > GTR_JOURNAL_VERSION)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: is a journal of version %u, and this program reads up to %d; update "
                        "gradtrace",
                        journal->path, version, GTR_JOURNAL_VERSION);
    journal->param_norms = take_u32(&cursor) != 0;
    journal->first_row = take_u64(&cursor);
    rc = take_head(&cursor, &journal->head, err);
    return rc == GTR_OK && cursor.failed ? bad_header(journal, err) : rc;
}

/* --- rows and what amends them ---------------------------------------------------------------- */

/* Without a rest. */
static size_t row_record_bytes(const struct gtr_journal *journal)
{
    return 8 + GTR_STEP_BYTES + gtr_row_bytes(journal->head.n_tensors, journal->param_norms);
}

static bool may_be(const struct gtr_journal *journal, uint32_t kind, size_t n)
{
    size_t row = row_record_bytes(journal);

    switch (kind) {
    case GTR_JOURNAL_ROW:
        return n == row;
    case GTR_JOURNAL_REST:
        return n == row + GTR_STEP_BYTES_MOST - GTR_STEP_BYTES;
    case GTR_JOURNAL_AMEND:
        return n == GTR_JOURNAL_AMEND_BYTES;
    case GTR_JOURNAL_KNOW:
        return n == GTR_JOURNAL_KNOW_BYTES;
    case GTR_JOURNAL_SPARE:
    case GTR_JOURNAL_STOP:
        return n > 0 && n <= GTR_JOURNAL_STOP_MOST;
    default:
        return false;
    }
}

enum found { FOUND_RECORD, FOUND_TORN, FOUND_ALTERED };

/* What lies at byte `at`: a whole record of *n bytes inside, or the start of one where the file
 * ends, or neither. */
static enum found look(const struct gtr_journal *journal, size_t at, uint32_t *kind, size_t *n)
{
    const unsigned char *bytes = journal->bytes + at;
    size_t left = journal->n_bytes - at;
    uint32_t length, sum;

    if (left < GTR_JOURNAL_BEFORE)
        return FOUND_TORN;
    memcpy(kind, bytes, sizeof *kind);
    memcpy(&length, bytes + 4, sizeof length);
    *n = length;
    if (!may_be(journal, *kind, *n))
        return FOUND_ALTERED;
    if (left < GTR_JOURNAL_BEFORE + *n + GTR_JOURNAL_AFTER)
        return FOUND_TORN;
    memcpy(&sum, bytes + GTR_JOURNAL_BEFORE + *n, sizeof sum);
    return sum == gtr_crc_bytes(0, bytes, GTR_JOURNAL_BEFORE + *n) ? FOUND_RECORD : FOUND_ALTERED;
}

static bool are_sums(const unsigned char *values, size_t n)
{
    double sum;
    size_t i;

    for (i = 0; i < n; i++) {
        memcpy(&sum, values + i * sizeof sum, sizeof sum);
        if (!(sum >= 0.0))
            return false;
    }
    return true;
}

/* Records that are whole and still do not follow each other, or hold sums of squares that are
 * negative or no numbers, are a fault of whoever wrote them. */
static bool take_row(struct gtr_journal *journal, const unsigned char *bytes, size_t n_bytes,
                     bool gaps)
{
    const struct gtr_journal_row *last =
        journal->n_rows > 0 ? &journal->rows[journal->n_rows - 1] : NULL;
    uint64_t next = last != NULL ? last->number + 1 : journal->first_row;
    size_t n = journal->head.n_tensors;
    size_t step_bytes = n_bytes - (row_record_bytes(journal) - GTR_STEP_BYTES);
    struct gtr_journal_row row;

    memcpy(&row.number, bytes, 8);
    gtr_step_unpack(bytes + 8, step_bytes, &row.step);
    row.values = bytes + 8 + step_bytes;
    if ((gaps ? row.number < next : row.number != next) || row.number >= INT64_MAX ||
        !(row.step.rest >= 0.0) || (last != NULL && row.step.index <= last->step.index) ||
        !are_sums(row.values, n) || (journal->param_norms && !are_sums(row.values + n * 20, n)))
        return false;
    journal->rows[journal->n_rows++] = row;
    return true;
}

static bool take_amend(struct gtr_journal *journal, const unsigned char *bytes)
{
    struct gtr_journal_row *last;
    uint64_t number;

    if (journal->n_rows == 0)
        return false;
    last = &journal->rows[journal->n_rows - 1];
    memcpy(&number, bytes, 8);
    if (number != last->number)
        return false;
    memcpy(&last->step.applied_scale, bytes + 8, 8);
    last->step.skipped = bytes[16] != 0;
    return true;
}

static enum gtr_code take_why(char **field, const unsigned char *bytes, size_t n,
                              struct gtr_err *err)
{
    char why[GTR_JOURNAL_STOP_MOST + 1];

    memcpy(why, bytes, n);
    why[n] = '\0';
    return gtr_head_set(field, why, err);
}

/* False if it is nothing that a run could have planned. */
static bool take_known(struct gtr_journal *journal, const unsigned char *bytes, enum gtr_code *rc,
                       struct gtr_err *err)
{
    char words[2][GTR_JOURNAL_WORD + 1] = { "", "" };
    struct gtr_head late = { .grad_state = words[0] };

    memcpy(&late.total_steps, bytes, 8);
    memcpy(words[0], bytes + 8, GTR_JOURNAL_WORD);
    memcpy(words[1], bytes + 8 + GTR_JOURNAL_WORD, GTR_JOURNAL_WORD);
    late.total_steps_from = words[1][0] != '\0' ? words[1] : NULL;
    if (late.total_steps < 0)
        return false;
    *rc = gtr_head_take_late(&journal->head, &late, err);
    return true;
}

/* What a whole record holds; false if that cannot be. */
static bool take_record(struct gtr_journal *journal, uint32_t kind, const unsigned char *inside,
                        size_t n, enum gtr_code *rc, struct gtr_err *err)
{
    switch (kind) {
    case GTR_JOURNAL_STOP:
        *rc = take_why(&journal->head.stopped, inside, n, err);
        return true;
    case GTR_JOURNAL_SPARE:
        *rc = take_why(&journal->head.elements_stopped, inside, n, err);
        return true;
    case GTR_JOURNAL_KNOW:
        return take_known(journal, inside, rc, err);
    case GTR_JOURNAL_AMEND:
        return take_amend(journal, inside);
    default:
        *rc = gtr_grow(&journal->rows, &journal->capacity, journal->n_rows + 1,
                       sizeof *journal->rows, err);
        return *rc != GTR_OK || take_row(journal, inside, n, journal->n_altered > 0);
    }
}

/* The next byte after `at` where a whole record starts, or the end. */
static size_t find_record(const struct gtr_journal *journal, size_t at)
{
    static const unsigned char start[2] = { 'J', 'T' }; /* of every kind */
    uint32_t kind;
    size_t n;

    for (at++; at < journal->n_bytes; at++) {
        const unsigned char *next =
            memmem(journal->bytes + at, journal->n_bytes - at, start, sizeof start);

        if (next == NULL)
            return journal->n_bytes;
        at = (size_t)(next - journal->bytes);
        if (look(journal, at, &kind, &n) == FOUND_RECORD)
            return at;
    }
    return journal->n_bytes;
}

static enum gtr_code is_altered(struct gtr_journal *journal, size_t at, bool salvage,
                                struct gtr_err *err)
{
    uint64_t row =
        journal->n_rows > 0 ? journal->rows[journal->n_rows - 1].number + 1 : journal->first_row;

    if (journal->n_altered == 0)
        journal->altered_at = at;
    journal->n_altered++;
    if (salvage)
        return GTR_OK;
    return gtr_fail(err, GTR_EFORMAT,
                    "%s: the record at byte %zu (row %llu) is damaged; gradtrace recover keeps the "
                    "rest",
                    journal->path, at, (unsigned long long)row);
}

static enum gtr_code read_records(struct gtr_journal *journal, size_t at, bool salvage,
                                  struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    while (rc == GTR_OK && at < journal->n_bytes) {
        const unsigned char *inside = journal->bytes + at + GTR_JOURNAL_BEFORE;
        uint32_t kind = 0;
        size_t n = 0;
        enum found found = look(journal, at, &kind, &n);
        bool good = found == FOUND_RECORD;

        if (found == FOUND_TORN) {
            journal->torn = true;
            return GTR_OK;
        }
        if (good)
            good = take_record(journal, kind, inside, n, &rc, err);
        if (rc == GTR_OK && !good)
            rc = is_altered(journal, at, salvage, err);
        if (found == FOUND_RECORD)
            at += GTR_JOURNAL_BEFORE + n + GTR_JOURNAL_AFTER;
        else
            at = find_record(journal, at);
    }
    return rc;
}

enum gtr_code gtr_journal_read(const char *path, unsigned char *bytes, size_t n_bytes, bool salvage,
                               struct gtr_journal **out, struct gtr_err *err)
{
    struct gtr_journal *journal;
    enum gtr_code rc;
    size_t used = 0;

    *out = NULL;
    rc = gtr_alloc_for(&journal, 1, sizeof *journal, "journals", err);
    if (rc != GTR_OK) {
        gtr_free(bytes);
        return rc;
    }
    journal->bytes = bytes;
    journal->n_bytes = n_bytes;
    rc = gtr_format(&journal->path, path, err, "%s", path);
    if (rc == GTR_OK)
        rc = read_header(journal, &used, err);
    if (rc == GTR_OK)
        rc = read_records(journal, used, salvage, err);
    if (rc != GTR_OK) {
        gtr_journal_free(journal);
        return rc;
    }
    *out = journal;
    return GTR_OK;
}

/* A journal may grow while it is read: what it was at first is enough. */
static enum gtr_code read_file(int fd, const char *path, unsigned char **bytes, size_t *n,
                               struct gtr_err *err)
{
    struct stat status;
    enum gtr_code rc;

    if (fstat(fd, &status) != 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return gtr_fail(err, GTR_EFORMAT, "%s: is not a regular file", path);
    rc = gtr_alloc_for(bytes, (size_t)status.st_size, 1, "bytes", err);
    if (rc != GTR_OK)
        return rc;
    *n = gtr_read_at(fd, *bytes, (size_t)status.st_size, 0);
    if (*n < (size_t)status.st_size && errno != 0)
        rc = gtr_fail(err, GTR_EIO, "%s: cannot read: %s", path, strerror(errno));
    return rc;
}

enum gtr_code gtr_journal_load(const char *path, bool salvage, struct gtr_journal **journal,
                               struct gtr_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    unsigned char *bytes = NULL;
    enum gtr_code rc;
    size_t n = 0;

    *journal = NULL;
    if (fd < 0 && errno == ENOENT)
        return GTR_OK;
    if (fd < 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", path, strerror(errno));
    rc = read_file(fd, path, &bytes, &n, err);
    close(fd);
    if (rc != GTR_OK) {
        gtr_free(bytes);
        return rc;
    }
    return gtr_journal_read(path, bytes, n, salvage, journal, err);
}

void gtr_journal_free(struct gtr_journal *journal)
{
    if (journal == NULL)
        return;
    gtr_head_free(&journal->head);
    gtr_free(journal->rows);
    gtr_free(journal->bytes);
    gtr_free(journal->path);
    gtr_free(journal);
}

void gtr_journal_values(const struct gtr_journal *journal, size_t row, enum gtr_norm norm,
                        void *out)
{
    const unsigned char *values = journal->rows[row].values;
    size_t n = journal->head.n_tensors, size = n * gtr_h5_type_size(gtr_norm_datasets[norm].type);
    enum gtr_norm before;

    for (before = 0; before < norm; before++)
        values += n * gtr_h5_type_size(gtr_norm_datasets[before].type);
    if (norm == GTR_NAN || (norm == GTR_PARAM_SUMSQ && !journal->param_norms))
        memset(out, 0, size);
    else
        memcpy(out, values, size);
}
