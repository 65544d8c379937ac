/* sumsq_isa.c - the kernels of this machine. */
#include "sumsq_kernels.h"

static const struct gtr_sumsq_kernels *const kernels[GTR_ISA_COUNT] = {
    [GTR_ISA_PORTABLE] = &gtr_sumsq_portable,
#ifdef __x86_64__
    [GTR_ISA_AVX2] = &gtr_sumsq_avx2,
    [GTR_ISA_AVX512] = &gtr_sumsq_avx512,
#endif
};

const struct gtr_sumsq_kernels *gtr_sumsq_find(void)
{
    return kernels[gtr_isa_find()];
}
