/* sumsq_body.h - the text of every kernel of sumsq_kernels.h; included once per kernel.
 *
 * The file that includes it says what a vector of doubles is and how elements become one:
 *
 *   TARGET         attribute that lets a function use the instruction set
 *   WIDE, WIDTH    a vector of WIDTH doubles; + and * work on it
 *   ZERO           such a vector of +0
 *   MAX(a, b)      lane by lane; anything if one is NaN
 *   STORE(p, v)    to double[WIDTH], unaligned
 *
 * and sumsq_types.h says for each type, undefined again at the end of this file,
 *
 *   KERNEL         the function's name
 *   SIZE           bytes of an element
 *   LOAD(p)        the WIDTH elements at p (const char *, unaligned) as WIDE
 *   MAGNITUDE(v, square)  what the largest is sought of
 *
 * Eight vectors of lanes are summed at a time, because sixteen registers hold eight sums, four
 * maxima and what is in flight; the block is read in columns, one such group after another:
 *
 *          <- GROUP_LANES ->
 *   row 0  [ group 0        ][ group 1        ] ...   128 elements
 *   row 1  [                ][                ] ...
 *   ...    8 rows
 *
 * Hardware prefetchers do not follow columns, so each piece asks for its share of the block that
 * comes PREFETCH_BYTES later.
 */

/* Two or more blocks ahead: measured, 4 KiB is too late for AVX2 and 16 KiB gains nothing. */
#define PREFETCH_BYTES 8192
#define CACHE_LINE     64
#define ROWS           (GTR_SUMSQ_BLOCK / GTR_SUMSQ_LANES)
#define GROUP_LANES    (8 * WIDTH)
#define GROUPS         (GTR_SUMSQ_LANES / GROUP_LANES)
#define PIECE_BYTES    (GTR_SUMSQ_BLOCK * SIZE / (GROUPS * ROWS))
#define EACH_OF_8(X)   X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

TARGET static void KERNEL(const void *block, double *sumsq, double *top)
{
    WIDE lanes[GTR_SUMSQ_LANES / WIDTH];
    WIDE most[4] = { ZERO, ZERO, ZERO, ZERO };
    double fold[WIDTH], tops[WIDTH];
    uintptr_t ahead = (uintptr_t)block + PREFETCH_BYTES;
    int group, row, half, i;

    for (group = 0; group < GROUPS; group++) {
        WIDE sum[8] = { ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO };

        for (row = 0; row < ROWS; row++) {
            const char *p =
                (const char *)block + (row * GTR_SUMSQ_LANES + group * GROUP_LANES) * SIZE;

            for (i = 0; i < PIECE_BYTES; i += CACHE_LINE, ahead += CACHE_LINE)
                __builtin_prefetch((const void *)ahead);
                /* Written out, not looped: -O2 would keep an indexed array in memory. */
#define ADD_SQUARE(n)                                         \
    {                                                         \
        WIDE v = LOAD(p + n * WIDTH * SIZE);                  \
        WIDE square = v * v;                                  \
                                                              \
        sum[n] = sum[n] + square;                             \
        most[n % 4] = MAX(most[n % 4], MAGNITUDE(v, square)); \
    }
            EACH_OF_8(ADD_SQUARE)
#undef ADD_SQUARE
        }
#define KEEP_SUM(n) lanes[group * 8 + n] = sum[n];
        EACH_OF_8(KEEP_SUM)
#undef KEEP_SUM
    }
    /* While a half is a whole number of vectors, folding lanes is folding vectors. */
    for (half = GTR_SUMSQ_LANES / WIDTH / 2; half > 0; half /= 2)
        for (i = 0; i < half; i++)
            lanes[i] = lanes[i] + lanes[i + half];
    most[0] = MAX(MAX(most[0], most[1]), MAX(most[2], most[3]));
    STORE(fold, lanes[0]);
    STORE(tops, most[0]);
    for (half = WIDTH / 2; half > 0; half /= 2) {
        for (i = 0; i < half; i++) {
            fold[i] = fold[i] + fold[i + half];
            tops[i] = tops[i] > tops[i + half] ? tops[i] : tops[i + half];
        }
    }
    *sumsq = fold[0];
    *top = tops[0];
}

#undef PREFETCH_BYTES
#undef CACHE_LINE
#undef ROWS
#undef GROUP_LANES
#undef GROUPS
#undef PIECE_BYTES
#undef EACH_OF_8
#undef KERNEL
#undef SIZE
#undef LOAD
#undef MAGNITUDE
