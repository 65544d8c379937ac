/* shuffle.h - the byte shuffle of HDF5: all first bytes, then all second bytes, ...
 *
 * Byte j of element i lies at j * n + i, n being bytes / size.  Bytes left over at the end are as
 * they were.
 */
#ifndef GTR_SHUFFLE_H
#define GTR_SHUFFLE_H

#include <stddef.h>

/* Elements of `size` bytes to planes, and back.  Neither works in place. */
void gtr_shuffle(const unsigned char *elements, unsigned char *planes, size_t bytes, size_t size);
void gtr_unshuffle(const unsigned char *planes, unsigned char *elements, size_t bytes, size_t size);

#endif
