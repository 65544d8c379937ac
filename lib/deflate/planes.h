/* planes.h - a chunk of gradients as a zlib stream, such as HDF5's shuffle and deflate would make.
 *
 * After the byte shuffle the planes of an element's lower bytes are noise, on which a search for
 * repetitions spends all of its time and finds nothing.  What shrinks is the plane of sign and
 * exponent, and that mostly because few values are frequent, not because anything repeats.  So
 * planes are cut into pieces of 32 KiB, and a piece becomes one block of deflate, by what some
 * windows of it look like:
 *
 *     noise           a stored block
 *     constant runs   as of rows that got no gradient: the runs as matches at distance 1, and a
 *                     Huffman code of its own
 *     else            only bytes, with a Huffman code of its own
 *
 * But in gradients of low rank, such as an output layer's, exponents do repeat from row to row, and
 * some of what is below them.  So when pieces begin to look different, and in every sixteenth, a
 * quarter of the piece is searched for such matches too (matches.h); if that saves anything, it is
 * how this piece and those after it are written.  Whatever saves less than a 64th of a piece is
 * stored.
 *
 * The stream is ordinary: any zlib reads it.  Equal bytes in give equal bytes out, on any machine.
 */
#ifndef GTR_PLANES_H
#define GTR_PLANES_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "err.h"

/* What deflating takes; one for each thread. */
struct gtr_planes;

/* For chunks of up to so many bytes. */
enum gtr_code gtr_planes_new(size_t bytes, struct gtr_planes **planes, struct gtr_err *err);
void gtr_planes_free(struct gtr_planes *planes);

/* The room that a stream of so many bytes can need. */
size_t gtr_planes_bound(size_t bytes);

/* Writes elements of `size` bytes as a stream to `out`; returns its length. */
size_t gtr_planes_deflate(struct gtr_planes *planes, const unsigned char *elements, size_t bytes,
                          size_t size, unsigned char *out);

/* --- what is around it ------------------------------------------------------------------------ */

/* The byte shuffle of HDF5: elements of `size` bytes become planes, all first bytes, then all
 * second bytes, ...; and back.  Byte j of element i lies at j * n + i, n being bytes / size; bytes
 * left over at the end are as they were.  Neither works in place. */
void gtr_shuffle(const unsigned char *elements, unsigned char *planes, size_t bytes, size_t size);
void gtr_unshuffle(const unsigned char *planes, unsigned char *elements, size_t bytes, size_t size);

/* Streams are read by libdeflate if it was there at build time, which is faster, else by zlib; the
 * two give the same bytes.  What it takes, one for each thread that reads; NULL: no memory. */
struct gtr_inflater;

struct gtr_inflater *gtr_inflater_new(void);
void gtr_inflater_free(struct gtr_inflater *inflater);

/* The whole of one stream into at most *length bytes; *length gets how many there were.  False if
 * it is damaged or needs more room.  What follows its end is ignored. */
bool gtr_inflate(struct gtr_inflater *inflater, const unsigned char *stream, size_t n,
                 unsigned char *out, size_t *length);

uint32_t gtr_adler32(const unsigned char *bytes, size_t n);

#endif
