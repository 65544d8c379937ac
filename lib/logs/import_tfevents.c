/* import_tfevents.c - the scalars of a TensorBoard event file.
 *
 * Every scalar comes as an event of its own: step, tag, value in 32 bits.  Both CRCs of a record
 * are compared.  A run that was killed leaves half a record, which is left out.
 */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "formats.h"
#include "log_rows.h"
#include "tfevents.h"

enum {
    RECORD_MAX_MIB = 64, /* images and graphs are that large, and are passed over */
    DT_FLOAT = 1,
    DT_DOUBLE = 2
};

/* A stretch of a protocol buffer. */
struct bytes {
    const unsigned char *at, *end;
};

struct field {
    uint32_t number, type; /* 0 varint, 1 64 bits, 2 bytes, 5 32 bits */
    uint64_t value;        /* of types 0, 1, 5 */
    struct bytes bytes;    /* of type 2 */
};

struct events {
    struct gtr_log_source *source;
    struct gtr_log_rows rows;
    unsigned char *record;
    size_t capacity;
    uint64_t n_records;
};

static uint64_t little(const unsigned char *at, size_t n)
{
    uint64_t value = 0;

    while (n-- > 0)
        value = value << 8 | at[n];
    return value;
}

/* --- protocol buffers ------------------------------------------------------------------------- */

static bool varint(struct bytes *bytes, uint64_t *value)
{
    unsigned shift;

    *value = 0;
    for (shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
        *value |= (uint64_t)(*bytes->at & 127) << shift;
        if (*bytes->at++ < 128)
            return true;
    }
    return false;
}

/* The next field; false at the end, or where it is not well-formed. */
static bool next_field(struct bytes *bytes, struct field *field)
{
    uint64_t key, n;

    if (bytes->at == bytes->end || !varint(bytes, &key))
        return false;
    field->number = (uint32_t)(key >> 3);
    field->type = (uint32_t)(key & 7);
    if (field->type == 0)
        return varint(bytes, &field->value);
    n = field->type == 1 ? 8 : field->type == 5 ? 4 : 0;
    if (n == 0 && (field->type != 2 || !varint(bytes, &n)))
        return false;
    if (n > (uint64_t)(bytes->end - bytes->at))
        return false;
    field->bytes = (struct bytes){ bytes->at, bytes->at + n };
    field->value = field->type != 2 ? little(bytes->at, (size_t)n) : 0;
    bytes->at += n;
    return true;
}

static double as_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;

    memcpy(&value, &low, sizeof value);
    return (double)value;
}

static double as_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A tensor of one number, as newer writers wrap their scalars. */
static bool tensor_value(struct bytes tensor, double *value)
{
    struct field field;
    uint64_t type = 0;
    bool found = false;

    while (next_field(&tensor, &field)) {
        size_t n = field.type == 2 ? (size_t)(field.bytes.end - field.bytes.at) : 0;
        size_t size = type == DT_DOUBLE ? 8 : 4;

        if (field.number == 1 && field.type == 0)
            type = field.value;
        /* 4 tensor_content, 5 float_val, 6 double_val: packed, or one by one */
        if ((field.number == 4 && n == size && type != 0) || (field.number == 5 && n == 4) ||
            (field.number == 6 && n == 8))
            field.value = little(field.bytes.at, n);
        else if (!(field.number == 5 && field.type == 5) && !(field.number == 6 && field.type == 1))
            continue;
        *value = type == DT_DOUBLE ? as_double(field.value) : as_float(field.value);
        found = type == DT_FLOAT || type == DT_DOUBLE;
    }
    return found;
}

/* --- events ----------------------------------------------------------------------------------- */

static enum gtr_code take_value(struct events *events, struct bytes bytes, struct gtr_err *err)
{
    char tag[GTR_LOG_NAME_MAX + 1] = "";
    struct field field;
    bool found = false;
    double value = 0.0;

    while (next_field(&bytes, &field)) {
        size_t n = field.type == 2 ? (size_t)(field.bytes.end - field.bytes.at) : 0;

        if (field.number == 1 && field.type == 2 && n <= GTR_LOG_NAME_MAX &&
            memchr(field.bytes.at, '\0', n) == NULL) {
            memcpy(tag, field.bytes.at, n);
            tag[n] = '\0';
        }
        if (field.number == 2 && field.type == 5) {
            value = as_float(field.value);
            found = true;
        }
        if (field.number == 8 && field.type == 2)
            found = tensor_value(field.bytes, &value);
    }
    return found && tag[0] != '\0' ? gtr_log_rows_take(&events->rows, tag, value, err) : GTR_OK;
}

static enum gtr_code take_event(struct events *events, struct bytes event, struct gtr_err *err)
{
    struct bytes all = event, summary;
    uint64_t step = 0;
    struct field field;
    enum gtr_code rc;

    while (next_field(&event, &field))
        if (field.number == 2 && field.type == 0)
            step = field.value;
    gtr_log_rows_begin(&events->rows, events->n_records);
    rc = gtr_log_rows_take(&events->rows, "step", (double)(int64_t)step, err);
    while (rc == GTR_OK && next_field(&all, &field)) {
        if (field.number != 5 || field.type != 2)
            continue;
        summary = field.bytes;
        while (rc == GTR_OK && next_field(&summary, &field))
            if (field.number == 1 && field.type == 2)
                rc = take_value(events, field.bytes, err);
    }
    return rc == GTR_OK ? gtr_log_rows_end(&events->rows, err) : rc;
}

/* --- records ---------------------------------------------------------------------------------- */

static enum gtr_code damaged(const struct events *events, const char *what, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%s: record %llu: %s; the file is damaged",
                    events->source->log->name, (unsigned long long)events->n_records, what);
}

/* Reads a record; *n is SIZE_MAX after the last. */
static enum gtr_code next_record(struct events *events, size_t *n, struct gtr_err *err)
{
    struct gtr_lines *lines = events->source->lines;
    unsigned char head[12];
    enum gtr_code rc;
    uint64_t length;
    size_t got;

    *n = SIZE_MAX;
    events->n_records++;
    rc = gtr_lines_bytes(lines, head, sizeof head, &got, err);
    if (rc != GTR_OK || got < sizeof head) {
        events->source->log->summary.cut_short = got > 0;
        return rc;
    }
    if (gtr_tfevents_crc(head, 8) != little(head + 8, 4))
        return damaged(events, "its length does not fit its CRC", err);
    length = little(head, 8);
    if (length > (uint64_t)RECORD_MAX_MIB << 20)
        return gtr_fail(err, GTR_EFORMAT, "%s: record %llu: more than %d MiB",
                        events->source->log->name, (unsigned long long)events->n_records,
                        RECORD_MAX_MIB);
    rc = gtr_grow(&events->record, &events->capacity, (size_t)length + 4, 1, err);
    if (rc == GTR_OK)
        rc = gtr_lines_bytes(lines, events->record, (size_t)length + 4, &got, err);
    if (rc != GTR_OK)
        return rc;
    if (got < length + 4) {
        events->source->log->summary.cut_short = true;
        return GTR_OK;
    }
    if (gtr_tfevents_crc(events->record, (size_t)length) != little(events->record + length, 4))
        return damaged(events, "does not fit its CRC", err);
    *n = (size_t)length;
    return GTR_OK;
}

bool gtr_tfevents_begin(const char *bytes, size_t n)
{
    return n >= 12 && gtr_tfevents_crc(bytes, 8) == little((const unsigned char *)bytes + 8, 4);
}

enum gtr_code gtr_log_read_tfevents(struct gtr_log_source *source, struct gtr_err *err)
{
    struct events events = { .source = source };
    enum gtr_code rc;
    size_t n = 0;

    source->log->summary.format = "tfevents";
    rc = gtr_log_rows_init(&events.rows, source->log, source->said, err);
    while (rc == GTR_OK && (rc = next_record(&events, &n, err)) == GTR_OK && n != SIZE_MAX)
        rc = take_event(&events, (struct bytes){ events.record, events.record + n }, err);
    if (rc == GTR_OK)
        rc = gtr_log_rows_finish(&events.rows, err);
    gtr_log_rows_free(&events.rows);
    gtr_free(events.record);
    return rc;
}
