/* update_body.h - the text of the vector kernels of update_kernels.h; included once per
 * instruction set.
 *
 * The file that includes it says what vectors are:
 *
 *   TARGET            attribute that lets a function use the instruction set
 *   FLOATS, WIDTH     a vector of WIDTH floats; C's operators work on it
 *   WIDE              a vector of WIDTH / 2 doubles
 *   SPLAT(x)          a vector of one float
 *   LOAD(p), STORE(p, v)  aligned floats;  LOAD_ANY(p) at any address
 *   ROOT(v)           square root
 *   KEEP(v, p)        v where the bits at p (uint32_t[WIDTH], aligned) are set, +0 where not
 *   LOW(v), HIGH(v)   the lower and the upper half of the floats as doubles
 *   LOAD_WIDE(p), STORE_WIDE(p, v)  doubles at any address
 *   ADD_PRODUCT(sum, a, b)  sum + a * b; a and b are floats, of which double holds the product
 *                     exactly, so that a fused multiply-add rounds the same
 *   FOLD_VECTOR(v)    its doubles folded in halves, as a double
 *   LOAD_F16, LOAD_BF16, LOAD_F64  WIDTH elements at any address as FLOATS
 *
 * A vector of lanes goes down the block's eight rows with its sums in registers, then the next
 * one.  Of 16 elements of adamw, division and square root take 2 ns on a Zen 5 core.  Sorting
 * operations as move_column does it saves 1.6 ns, and fused sums with AVX-512 0.6 ns more.
 */
#define INLINE TARGET static inline __attribute__((always_inline))

enum {
    ROWS = GTR_UPDATE_BLOCK / GTR_UPDATE_LANES,
    HALF = WIDTH / 2,
    WIDES = GTR_UPDATE_LANES / HALF /* vectors of doubles that hold the lanes */
};

/* What does not change within a block, in registers: of what is in memory the compiler could not
 * know that it is not what the states are written to. */
struct constants {
    FLOATS scale, beta1, fresh1, beta2, fresh2, root, eps, of_m, of_g;
    bool ahead; /* sgd: nesterov */
};

INLINE struct constants constants_of(const struct gtr_update_cell *c)
{
    const struct gtr_optimizer_step *o = c->step;

    return (struct constants){ SPLAT(c->scale),  SPLAT(o->beta1), SPLAT(o->fresh1), SPLAT(o->beta2),
                               SPLAT(o->fresh2), SPLAT(o->root),  SPLAT(o->eps),    SPLAT(o->of_m),
                               SPLAT(o->of_g),   o->beta2 > 0.0f };
}

/* -1, 0 or 1, and NaN where c is not finite. */
INLINE FLOATS sign_of(FLOATS c)
{
    FLOATS zero = c - c;
    __typeof__(c > c) above = c > SPLAT(0.0f), below = c < SPLAT(0.0f); /* -1 where true */

    return __builtin_convertvector(below - above, FLOATS) + zero;
}

/* gtr_optimizer_move, in vectors: eight at a time, down the rows of a block from `at`,
 * each operation for all of them before the next.  One after the other, what waits for a square
 * root would fill the processor's queues, at half the speed.  Written out, not looped: -O2 would
 * keep indexed arrays in memory. */
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define AT(row)     (at + (row)*GTR_UPDATE_LANES)

INLINE void move_sgd(const struct gtr_update_cell *c, const struct constants *o, int at,
                     uintptr_t ahead, FLOATS *u){
#define BUFFER(row)                                                      \
    {                                                                    \
        FLOATS g = o->scale * LOAD_ANY(c->x + AT(row));                  \
        FLOATS m = o->beta1 * LOAD(c->first + AT(row)) + o->fresh1 * g;  \
                                                                         \
        STORE(c->first + AT(row), m);                                    \
        __builtin_prefetch((const void *)(ahead + 4 * (size_t)AT(row))); \
        u[row] = m;                                                      \
        if (o->ahead)                                                    \
            u[row] = g + o->beta2 * m;                                   \
    }
    EACH_ROW(BUFFER)
#undef BUFFER
}

INLINE void move_lion(const struct gtr_update_cell *c, const struct constants *o, int at,
                      uintptr_t ahead, FLOATS *u){
#define SIGN(row)                                                        \
    {                                                                    \
        FLOATS g = o->scale * LOAD_ANY(c->x + AT(row));                  \
        FLOATS m = LOAD(c->first + AT(row));                             \
                                                                         \
        STORE(c->first + AT(row), o->beta2 * m + o->fresh2 * g);         \
        __builtin_prefetch((const void *)(ahead + 4 * (size_t)AT(row))); \
        u[row] = sign_of(o->beta1 * m + o->fresh1 * g);                  \
    }
    EACH_ROW(SIGN)
#undef SIGN
}

INLINE void move_rmsprop(const struct gtr_update_cell *c, const struct constants *o, int at,
                         uintptr_t ahead, FLOATS *u){
#define RATIO(row)                                                                            \
    {                                                                                         \
        FLOATS g = o->scale * LOAD_ANY(c->x + AT(row));                                       \
        FLOATS v = o->beta2 * LOAD(c->second + AT(row)) + (o->fresh2 * g) * g;                \
                                                                                              \
        STORE(c->second + AT(row), v);                                                        \
        __builtin_prefetch((const void *)(ahead + 4 * (size_t)AT(row)));                      \
        __builtin_prefetch((const void *)(ahead + 4 * (size_t)(GTR_UPDATE_BLOCK + AT(row)))); \
        u[row] = o->beta1 * LOAD(c->first + AT(row)) + g / (ROOT(v) + o->eps);                \
        STORE(c->first + AT(row), u[row]);                                                    \
    }
    EACH_ROW(RATIO)
#undef RATIO
}

/* adamw and nadam, which differ in what is divided. */
INLINE void move_adam(bool nadam, const struct gtr_update_cell *c, const struct constants *o,
                      int at, uintptr_t ahead, FLOATS *u)
{
#define MOMENTS(row)                                                                          \
    {                                                                                         \
        FLOATS g = o->scale * LOAD_ANY(c->x + AT(row));                                       \
        FLOATS m = o->beta1 * LOAD(c->first + AT(row)) + o->fresh1 * g;                       \
                                                                                              \
        STORE(c->first + AT(row), m);                                                         \
        __builtin_prefetch((const void *)(ahead + 4 * (size_t)AT(row)));                      \
        __builtin_prefetch((const void *)(ahead + 4 * (size_t)(GTR_UPDATE_BLOCK + AT(row)))); \
        u[row] = o->beta2 * LOAD(c->second + AT(row)) + (o->fresh2 * g) * g;                  \
        STORE(c->second + AT(row), u[row]);                                                   \
    }
#define BOTTOM(row) u[row] = ROOT(u[row]) * o->root + o->eps;
#define DIVIDE(row) u[row] = LOAD(c->first + AT(row)) / u[row];
#define AHEAD(row)                                                                               \
    u[row] =                                                                                     \
        (o->of_m * LOAD(c->first + AT(row)) + o->of_g * (o->scale * LOAD_ANY(c->x + AT(row)))) / \
        u[row];
    EACH_ROW(MOMENTS)
    EACH_ROW(BOTTOM)
    if (nadam) {
        EACH_ROW(AHEAD)
    } else {
        EACH_ROW(DIVIDE)
    }
#undef AHEAD
#undef MOMENTS
#undef BOTTOM
#undef DIVIDE
}

INLINE void move_column(enum gtr_optimizer_id id, const struct gtr_update_cell *c,
                        const struct constants *o, bool whole, int at, FLOATS *u)
{
    /* The next policy's states: hardware prefetchers do not follow columns. */
    uintptr_t ahead =
        (uintptr_t)c->first + 4u * (size_t)gtr_optimizer_states(id) * (size_t)GTR_UPDATE_BLOCK;

    if (id == GTR_SGD)
        move_sgd(c, o, at, ahead, u);
    else if (id == GTR_LION)
        move_lion(c, o, at, ahead, u);
    else if (id == GTR_RMSPROP)
        move_rmsprop(c, o, at, ahead, u);
    else
        move_adam(id == GTR_NADAM, c, o, at, ahead, u);
#define CUT(row) u[row] = KEEP(u[row], c->inside + AT(row));
    if (!whole) {
        EACH_ROW(CUT)
    }
#undef CUT
}

/* Folding in halves from the far end: what lane i is at half h is what i and i + h were at 2 h.
 * While a half is a whole number of vectors, folding lanes is folding vectors. */
#if WIDTH == 16
#define FOLD_16(i) (lanes[i])
#else
#define FOLD_16(i) (lanes[i] + lanes[(i) + 16])
#endif
#define FOLD_8(i) (FOLD_16(i) + FOLD_16((i) + 8))
#define FOLD_4(i) (FOLD_8(i) + FOLD_8((i) + 4))
#define FOLD_2(i) (FOLD_4(i) + FOLD_4((i) + 2))

INLINE double fold(const WIDE *lanes)
{
    return FOLD_VECTOR(FOLD_2(0) + FOLD_2(1));
}

INLINE void plain(enum gtr_optimizer_id id, const struct gtr_update_cell *cell, bool whole)
{
    const struct gtr_update_cell own = *cell, *c = &own;
    const struct constants o = constants_of(cell);
    WIDE lanes[WIDES];
    int at;

    for (at = 0; at < GTR_UPDATE_LANES; at += WIDTH) {
        WIDE low = { 0.0 }, high = { 0.0 };
        FLOATS u[ROWS];

        move_column(id, c, &o, whole, at, u);
#define ADD(row)                                       \
    {                                                  \
        WIDE ul = LOW(u[row]), uh = HIGH(u[row]);      \
                                                       \
        STORE(c->none + AT(row), u[row]);              \
        STORE_WIDE(c->none_wide + AT(row), ul);        \
        STORE_WIDE(c->none_wide + AT(row) + HALF, uh); \
        low = ADD_PRODUCT(low, ul, ul);                \
        high = ADD_PRODUCT(high, uh, uh);              \
    }
        EACH_ROW(ADD)
#undef ADD
        lanes[at / HALF] = low;
        lanes[at / HALF + 1] = high;
    }
    c->sums[0] = fold(lanes);
}

INLINE void policy(enum gtr_optimizer_id id, const struct gtr_update_cell *cell, bool whole)
{
    const struct gtr_update_cell own = *cell, *c = &own;
    const struct constants o = constants_of(cell);
    WIDE update[WIDES], change[WIDES], along[WIDES];
    int at;

    for (at = 0; at < GTR_UPDATE_LANES; at += WIDTH) {
        WIDE low[3] = { { 0.0 } }, high[3] = { { 0.0 } };
        FLOATS u[ROWS];

        move_column(id, c, &o, whole, at, u);
#define ADD(row)                                                                      \
    {                                                                                 \
        FLOATS d = u[row] - LOAD(c->none + AT(row));                                  \
        WIDE ul = LOW(u[row]), uh = HIGH(u[row]), dl = LOW(d), dh = HIGH(d);          \
                                                                                      \
        low[0] = ADD_PRODUCT(low[0], ul, ul);                                         \
        high[0] = ADD_PRODUCT(high[0], uh, uh);                                       \
        low[1] = ADD_PRODUCT(low[1], dl, dl);                                         \
        high[1] = ADD_PRODUCT(high[1], dh, dh);                                       \
        low[2] = ADD_PRODUCT(low[2], ul, LOAD_WIDE(c->none_wide + AT(row)));          \
        high[2] = ADD_PRODUCT(high[2], uh, LOAD_WIDE(c->none_wide + AT(row) + HALF)); \
    }
        EACH_ROW(ADD)
#undef ADD
        update[at / HALF] = low[0];
        update[at / HALF + 1] = high[0];
        change[at / HALF] = low[1];
        change[at / HALF + 1] = high[1];
        along[at / HALF] = low[2];
        along[at / HALF + 1] = high[2];
    }
    c->sums[0] = fold(update);
    c->sums[1] = fold(change);
    c->sums[2] = fold(along);
}

/* The parameters are constants where these are expanded: four kernels each. */
#define DEFINE_MOVE(name, kind, id)                          \
    TARGET static void name(const struct gtr_update_cell *c) \
    {                                                        \
        if (c->inside == NULL)                               \
            kind(id, c, true);                               \
        else                                                 \
            kind(id, c, false);                              \
    }
#define DEFINE_MOVES(name, id)           \
    DEFINE_MOVE(name##_plain, plain, id) \
    DEFINE_MOVE(name##_policy, policy, id)
DEFINE_MOVES(adamw, GTR_ADAMW)
DEFINE_MOVES(sgd, GTR_SGD)
DEFINE_MOVES(lion, GTR_LION)
DEFINE_MOVES(rmsprop, GTR_RMSPROP)
DEFINE_MOVES(nadam, GTR_NADAM)

#define DEFINE_LOAD(name, LOAD_KIND, size)                           \
    TARGET static void name(const void *block, float *x)             \
    {                                                                \
        int i;                                                       \
                                                                     \
        for (i = 0; i < GTR_UPDATE_BLOCK; i += WIDTH)                \
            STORE(x + i, LOAD_KIND((const char *)block + i * size)); \
    }
DEFINE_LOAD(load_f16, LOAD_F16, 2)
DEFINE_LOAD(load_bf16, LOAD_BF16, 2)
DEFINE_LOAD(load_f64, LOAD_F64, 8)

#define KERNELS                                                      \
    {                                                                \
        .move = { [GTR_ADAMW] = { adamw_plain, adamw_policy },       \
                  [GTR_SGD] = { sgd_plain, sgd_policy },             \
                  [GTR_LION] = { lion_plain, lion_policy },          \
                  [GTR_RMSPROP] = { rmsprop_plain, rmsprop_policy }, \
                  [GTR_NADAM] = { nadam_plain, nadam_policy } },     \
        .load = {                                                    \
            [GTR_F16] = load_f16,                                    \
            [GTR_BF16] = load_bf16,                                  \
            [GTR_F64] = load_f64                                     \
        }                                                            \
    }
