/* sumsq_types.h - the kernels of one instruction set: sumsq_body.h for each element type.
 *
 * The file that includes it says what a vector of doubles is, as sumsq_body.h has it, and
 *
 *   LOAD_F32(p), LOAD_F16(p), LOAD_BF16(p), LOAD_F64(p)    the elements at p as WIDE
 *   ABSOLUTE(v, square)   magnitudes of v
 *   KERNELS               the name of the set
 */
#define SQUARE(v, square) (square)

#define KERNEL    reduce_f32
#define SIZE      4
#define LOAD      LOAD_F32
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_f16
#define SIZE      2
#define LOAD      LOAD_F16
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_bf16
#define SIZE      2
#define LOAD      LOAD_BF16
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_f64
#define SIZE      8
#define LOAD      LOAD_F64
#define MAGNITUDE ABSOLUTE
#include "sumsq_body.h"

const struct gtr_sumsq_kernels KERNELS = { { [GTR_F32] = reduce_f32,
                                             [GTR_F16] = reduce_f16,
                                             [GTR_BF16] = reduce_bf16,
                                             [GTR_F64] = reduce_f64 } };
