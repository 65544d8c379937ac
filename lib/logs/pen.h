/* pen.h - bytes on their way out.  stdio locks a file for each character, and a trace has many
 * millions.
 */
#ifndef GTR_PEN_H
#define GTR_PEN_H

#include <stddef.h>
#include <stdio.h>

struct gtr_pen {
    FILE *f; /* borrowed; its errors are the caller's to see */
    size_t n;
    char bytes[1 << 16];
};

void gtr_pen_put(struct gtr_pen *pen, const void *bytes, size_t n);
void gtr_pen_flush(struct gtr_pen *pen);

#endif
