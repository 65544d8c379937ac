/* lines.c - reading lines in blocks. */
#include "lines.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"

void gtr_lines_init(struct gtr_lines *lines, FILE *f, const char *name)
{
    *lines = (struct gtr_lines){ .f = f, .name = name };
}

void gtr_lines_free(struct gtr_lines *lines)
{
    gtr_free(lines->text);
    gtr_free(lines->block);
    lines->text = NULL;
    lines->block = NULL;
}

/* Fills the block; at == end afterwards means the end of the file. */
static enum gtr_code refill(struct gtr_lines *lines, struct gtr_err *err)
{
    bool first = lines->block == NULL;
    enum gtr_code rc;

    if (first) {
        rc = gtr_alloc_for(&lines->block, GTR_LINES_BLOCK, 1, "bytes", err);
        if (rc != GTR_OK)
            return rc;
    }
    errno = 0;
    lines->at = 0;
    lines->end = fread(lines->block, 1, GTR_LINES_BLOCK, lines->f);
    if (ferror(lines->f))
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", lines->name,
                        errno != 0 ? strerror(errno) : "read failed");
    if (first && lines->end >= 3 && memcmp(lines->block, "\xef\xbb\xbf", 3) == 0)
        lines->at = 3;
    return GTR_OK;
}

static enum gtr_code put(struct gtr_lines *lines, const char *bytes, size_t n, struct gtr_err *err)
{
    enum gtr_code rc;

    if (lines->longest > 0 && lines->n + n > lines->longest)
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: line longer than %zu bytes", lines->name,
                        (unsigned long long)lines->number, lines->longest);
    if (memchr(bytes, '\0', n) != NULL)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s:%llu: holds a NUL byte; it must be UTF-8 text, not UTF-16, not binary",
                        lines->name, (unsigned long long)lines->number);
    rc = gtr_grow(&lines->text, &lines->capacity, lines->n + n + 1, 1, err);
    if (rc != GTR_OK)
        return rc;
    memcpy(lines->text + lines->n, bytes, n);
    lines->n += n;
    lines->text[lines->n] = '\0';
    return GTR_OK;
}

enum gtr_code gtr_lines_next(struct gtr_lines *lines, bool append, bool *more, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    bool started = false;

    *more = true;
    if (lines->again) {
        lines->again = false;
        return GTR_OK;
    }
    lines->complete = false;
    while (!lines->complete) {
        const char *from, *line_end;
        size_t n;

        if (lines->at == lines->end) {
            rc = refill(lines, err);
            if (rc != GTR_OK || lines->at == lines->end)
                break;
        }
        if (!started) {
            started = true;
            lines->number++;
            if (!append)
                lines->n = 0;
            else
                rc = put(lines, "\n", 1, err);
        }
        from = lines->block + lines->at;
        line_end = memchr(from, '\n', lines->end - lines->at);
        lines->complete = line_end != NULL;
        n = line_end != NULL ? (size_t)(line_end - from) : lines->end - lines->at;
        if (rc == GTR_OK)
            rc = put(lines, from, n, err);
        if (rc != GTR_OK)
            break;
        lines->at += n + (line_end != NULL ? 1 : 0);
    }
    *more = started;
    return rc;
}

enum gtr_code gtr_lines_peek(struct gtr_lines *lines, const char **bytes, size_t *n,
                             struct gtr_err *err)
{
    enum gtr_code rc = lines->at == lines->end ? refill(lines, err) : GTR_OK;

    *bytes = rc == GTR_OK ? lines->block + lines->at : NULL;
    *n = rc == GTR_OK ? lines->end - lines->at : 0;
    return rc;
}

enum gtr_code gtr_lines_bytes(struct gtr_lines *lines, void *out, size_t n, size_t *got,
                              struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    *got = 0;
    while (rc == GTR_OK && *got < n) {
        const char *bytes;
        size_t there;

        rc = gtr_lines_peek(lines, &bytes, &there, err);
        if (rc != GTR_OK || there == 0)
            break;
        there = there < n - *got ? there : n - *got;
        memcpy((char *)out + *got, bytes, there);
        lines->at += there;
        *got += there;
    }
    return rc;
}

const char *gtr_lines_trimmed(const struct gtr_lines *lines)
{
    return lines->text + strspn(lines->text, " \t\r");
}

enum gtr_code gtr_lines_next_meaning(struct gtr_lines *lines, bool *more, struct gtr_err *err)
{
    enum gtr_code rc;

    do {
        rc = gtr_lines_next(lines, false, more, err);
        if (rc != GTR_OK || !*more)
            return rc;
    } while (*gtr_lines_trimmed(lines) == '\0' || *gtr_lines_trimmed(lines) == '#');
    return GTR_OK;
}
