/* zlib_stream.c - checksum and inflation, by whichever library is there. */
#include "planes.h"

#ifdef GTR_LIBDEFLATE
#include <libdeflate.h>
#else
#include <zlib.h>
#endif

#include "alloc.h"

#ifdef GTR_LIBDEFLATE

/* Kept as the library's own pointer: it is all that there is. */
struct gtr_inflater {
    struct libdeflate_decompressor *own;
};

struct gtr_inflater *gtr_inflater_new(void)
{
    struct gtr_inflater *inflater = gtr_alloc(1, sizeof *inflater);

    if (inflater != NULL)
        inflater->own = libdeflate_alloc_decompressor();
    if (inflater == NULL || inflater->own != NULL)
        return inflater;
    gtr_free(inflater);
    return NULL;
}

void gtr_inflater_free(struct gtr_inflater *inflater)
{
    if (inflater != NULL)
        libdeflate_free_decompressor(inflater->own);
    gtr_free(inflater);
}

bool gtr_inflate(struct gtr_inflater *inflater, const unsigned char *stream, size_t n,
                 unsigned char *out, size_t *length)
{
    size_t most = *length;

    return libdeflate_zlib_decompress(inflater->own, stream, n, out, most, length) ==
           LIBDEFLATE_SUCCESS;
}

uint32_t gtr_adler32(const unsigned char *bytes, size_t n)
{
    return libdeflate_adler32(1, bytes, n);
}

#else

struct gtr_inflater {
    char nothing; /* zlib's is made anew for each stream */
};

struct gtr_inflater *gtr_inflater_new(void)
{
    return gtr_alloc(1, sizeof(struct gtr_inflater));
}

void gtr_inflater_free(struct gtr_inflater *inflater)
{
    gtr_free(inflater);
}

bool gtr_inflate(struct gtr_inflater *inflater, const unsigned char *stream, size_t n,
                 unsigned char *out, size_t *length)
{
    uLongf got = *length;

    (void)inflater;
    if (uncompress(out, &got, stream, n) != Z_OK)
        return false;
    *length = got;
    return true;
}

uint32_t gtr_adler32(const unsigned char *bytes, size_t n)
{
    return (uint32_t)adler32_z(1, bytes, n);
}

#endif
