/* export_tfevents.c - protocol buffers, written field by field into a record; see tfevents.h. */
#include "export_tfevents.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "tfevents.h"

/* A record under way. */
struct record {
    unsigned char *bytes;
    size_t n, capacity;
    enum gtr_code rc;
    struct gtr_err *err;
};

static void put(struct record *record, const void *bytes, size_t n)
{
    if (record->rc == GTR_OK)
        record->rc = gtr_grow(&record->bytes, &record->capacity, record->n + n, 1, record->err);
    if (record->rc != GTR_OK)
        return;
    memcpy(record->bytes + record->n, bytes, n);
    record->n += n;
}

static void put_byte(struct record *record, unsigned byte)
{
    unsigned char c = (unsigned char)byte;

    put(record, &c, 1);
}

static void put_varint(struct record *record, uint64_t value)
{
    for (; value > 127; value >>= 7)
        put_byte(record, (unsigned)(value & 127) | 128u);
    put_byte(record, (unsigned)value);
}

/* Least significant byte first. */
static void put_little(struct record *record, uint64_t value, size_t n)
{
    for (; n > 0; n--, value >>= 8)
        put_byte(record, (unsigned)(value & 255));
}

static size_t varint_size(uint64_t value)
{
    size_t n = 1;

    for (; value > 127; value >>= 7)
        n++;
    return n;
}

static void put_double(struct record *record, unsigned key, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_byte(record, key);
    put_little(record, bits, 8);
}

/* Bytes of Value {tag, simple_value}. */
static size_t value_size(const char *tag)
{
    size_t n = strlen(tag);

    return 1 + varint_size(n) + n + 1 + 4;
}

/* The field `value` of a summary. */
static void put_value(struct record *record, const char *tag, double value)
{
    float narrow = (float)value;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    put_byte(record, 1 << 3 | 2);
    put_varint(record, value_size(tag));
    put_byte(record, 1 << 3 | 2);
    put_varint(record, strlen(tag));
    put(record, tag, strlen(tag));
    put_byte(record, 2 << 3 | 5);
    put_little(record, bits, 4);
}

/* With its lengths and CRCs. */
static enum gtr_code finish(struct record *record, struct gtr_pen *pen)
{
    struct record frame = { .err = record->err };
    uint32_t crc = gtr_tfevents_crc(record->bytes, record->n);

    put_little(&frame, record->n, 8);
    if (frame.rc == GTR_OK)
        put_little(&frame, gtr_tfevents_crc(frame.bytes, 8), 4);
    put_little(&frame, crc, 4);
    if (record->rc == GTR_OK && frame.rc == GTR_OK) {
        gtr_pen_put(pen, frame.bytes, 12);
        gtr_pen_put(pen, record->bytes, record->n);
        gtr_pen_put(pen, frame.bytes + 12, 4);
    }
    gtr_free(frame.bytes);
    gtr_free(record->bytes);
    return record->rc != GTR_OK ? record->rc : frame.rc;
}

enum gtr_code gtr_tfevents_put_head(struct gtr_pen *pen, struct gtr_err *err)
{
    static const char version[] = "brain.Event:2";
    struct record record = { .err = err };

    put_double(&record, 1 << 3 | 1, 0.0);
    put_byte(&record, 3 << 3 | 2);
    put_varint(&record, strlen(version));
    put(&record, version, strlen(version));
    return finish(&record, pen);
}

enum gtr_code gtr_tfevents_put_step(struct gtr_pen *pen, const struct gtr_step *step,
                                    char *const *tags, const double *values, size_t n,
                                    struct gtr_err *err)
{
    const struct {
        const char *tag;
        double value;
    } extras[] = { { "loss", step->loss }, { "lr", step->lr } };
    struct record record = { .err = err };
    size_t size = 0, i;

    for (i = 0; i < n; i++)
        size += 1 + varint_size(value_size(tags[i])) + value_size(tags[i]);
    for (i = 0; i < GTR_ARRAY_LEN(extras); i++)
        if (!isnan(extras[i].value))
            size += 2 + value_size(extras[i].tag);
    /* Seconds since the first step: what the clock said then is not known. */
    put_double(&record, 1 << 3 | 1, isnan(step->time) ? 0.0 : step->time);
    put_byte(&record, 2 << 3 | 0);
    put_varint(&record, (uint64_t)step->index);
    put_byte(&record, 5 << 3 | 2);
    put_varint(&record, size);
    for (i = 0; i < GTR_ARRAY_LEN(extras); i++)
        if (!isnan(extras[i].value))
            put_value(&record, extras[i].tag, extras[i].value);
    for (i = 0; i < n; i++)
        put_value(&record, tags[i], values[i]);
    return finish(&record, pen);
}
