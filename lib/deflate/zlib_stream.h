/* zlib_stream.h - the zlib format's checksum, and its streams read: by libdeflate if it was there
 * at build time, which is faster, else by zlib.  The two give the same bytes. */
#ifndef GTR_ZLIB_STREAM_H
#define GTR_ZLIB_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What reading takes; one for each thread that reads.  NULL: no memory. */
struct gtr_inflater;

struct gtr_inflater *gtr_inflater_new(void);
void gtr_inflater_free(struct gtr_inflater *inflater);

/* The whole of one stream into at most *length bytes; *length gets how many there were.  False if
 * it is damaged or needs more room.  What follows its end is ignored. */
bool gtr_inflate(struct gtr_inflater *inflater, const unsigned char *stream, size_t n,
                 unsigned char *out, size_t *length);

uint32_t gtr_adler32(const unsigned char *bytes, size_t n);

#endif
