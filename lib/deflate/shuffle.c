/* shuffle.c - the byte shuffle, 16 elements at a time.
 *
 * Sixteen elements of 2, 4 or 8 bytes are as many vectors of 16 bytes.  Number their bytes one
 * after the other: before the shuffle a byte's number is, in binary, its element's four bits and
 * then those of its place in the element; after it the two parts have changed places.  Interleaving
 * the first half of the bytes with the second rotates these bits by one, so four such rounds
 * shuffle, and as many as the place has bits put everything back.
 *
 * The vectors are the compiler's own: on x86-64 a round is one instruction a vector, which every
 * such processor has.  Wider ones were not worth a second copy: this already runs at the speed of
 * memory.
 */
#include "planes.h"

#include <string.h>

enum { WIDTH = 16 };

typedef unsigned char vector __attribute__((vector_size(WIDTH)));

#ifdef __clang__
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (vector){ __VA_ARGS__ })
#endif

/* The first halves of two vectors interleaved, and the second halves. */
#define LOW(a, b)  PICK(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) PICK(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

struct pair {
    vector a, b;
};

struct four {
    struct pair a, b;
};

struct eight {
    struct four a, b;
};

static inline struct pair weave(vector a, vector b)
{
    return (struct pair){ LOW(a, b), HIGH(a, b) };
}

static inline struct four weave_pairs(struct pair a, struct pair b)
{
    return (struct four){ weave(a.a, b.a), weave(a.b, b.b) };
}

/* One round, of as many vectors as an element has bytes. */
static inline struct pair round_2(struct pair v)
{
    return weave(v.a, v.b);
}

static inline struct four round_4(struct four v)
{
    return weave_pairs(v.a, v.b);
}

static inline struct eight round_8(struct eight v)
{
    return (struct eight){ weave_pairs(v.a.a, v.b.a), weave_pairs(v.a.b, v.b.b) };
}

/* Whole groups of 16 elements; returns how many elements that were. */
#define DEFINE_SHUFFLES(size, vectors, round, back)                                                \
    static size_t shuffle_##size(const unsigned char *elements, unsigned char *planes, size_t n)   \
    {                                                                                              \
        size_t i, j;                                                                               \
                                                                                                   \
        for (i = 0; i + WIDTH <= n; i += WIDTH) {                                                  \
            vectors v;                                                                             \
            vector out[size];                                                                      \
                                                                                                   \
            memcpy(&v, elements + i * (size), sizeof v);                                           \
            v = round(round(round(round(v))));                                                     \
            memcpy(out, &v, sizeof v);                                                             \
            for (j = 0; j < (size); j++)                                                           \
                memcpy(planes + j * n + i, &out[j], WIDTH);                                        \
        }                                                                                          \
        return i;                                                                                  \
    }                                                                                              \
                                                                                                   \
    static size_t unshuffle_##size(const unsigned char *planes, unsigned char *elements, size_t n) \
    {                                                                                              \
        size_t i, j;                                                                               \
                                                                                                   \
        for (i = 0; i + WIDTH <= n; i += WIDTH) {                                                  \
            vector in[size];                                                                       \
            vectors v;                                                                             \
                                                                                                   \
            for (j = 0; j < (size); j++)                                                           \
                memcpy(&in[j], planes + j * n + i, WIDTH);                                         \
            memcpy(&v, in, sizeof v);                                                              \
            v = back;                                                                              \
            memcpy(elements + i * (size), &v, sizeof v);                                           \
        }                                                                                          \
        return i;                                                                                  \
    }

DEFINE_SHUFFLES(2, struct pair, round_2, round_2(v))
DEFINE_SHUFFLES(4, struct four, round_4, round_4(round_4(v)))
DEFINE_SHUFFLES(8, struct eight, round_8, round_8(round_8(round_8(v))))

void gtr_shuffle(const unsigned char *elements, unsigned char *planes, size_t bytes, size_t size)
{
    size_t n = bytes / size, done = 0, i, j;

    if (size == 2)
        done = shuffle_2(elements, planes, n);
    else if (size == 4)
        done = shuffle_4(elements, planes, n);
    else if (size == 8)
        done = shuffle_8(elements, planes, n);
    for (j = 0; j < size; j++)
        for (i = done; i < n; i++)
            planes[j * n + i] = elements[i * size + j];
    memcpy(planes + n * size, elements + n * size, bytes - n * size);
}

void gtr_unshuffle(const unsigned char *planes, unsigned char *elements, size_t bytes, size_t size)
{
    size_t n = bytes / size, done = 0, i, j;

    if (size == 2)
        done = unshuffle_2(planes, elements, n);
    else if (size == 4)
        done = unshuffle_4(planes, elements, n);
    else if (size == 8)
        done = unshuffle_8(planes, elements, n);
    for (j = 0; j < size; j++)
        for (i = done; i < n; i++)
            elements[i * size + j] = planes[j * n + i];
    memcpy(elements + n * size, planes + n * size, bytes - n * size);
}
