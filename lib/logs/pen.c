/* pen.c - a block is filled before it is written. */
#include "pen.h"

#include <string.h>

void gtr_pen_flush(struct gtr_pen *pen)
{
    fwrite(pen->bytes, 1, pen->n, pen->f);
    pen->n = 0;
}

void gtr_pen_put(struct gtr_pen *pen, const void *bytes, size_t n)
{
    if (pen->n + n > sizeof pen->bytes)
        gtr_pen_flush(pen);
    if (n > sizeof pen->bytes) {
        fwrite(bytes, 1, n, pen->f);
        return;
    }
    memcpy(pen->bytes + pen->n, bytes, n);
    pen->n += n;
}
