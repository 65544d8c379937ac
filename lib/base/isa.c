/* isa.c - asking the processor. */
#include "isa.h"

#include <stdatomic.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

static atomic_int forced = GTR_ISA_COUNT;

#ifdef __x86_64__
/* clang 14's __builtin_cpu_supports has no name for it. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}

/* __builtin_cpu_supports asks the system too: the registers must be saved at a task switch. */
bool gtr_isa_here(enum gtr_isa isa)
{
    bool avx2 = __builtin_cpu_supports("avx2") && has_f16c();

    if (isa == GTR_ISA_AVX512)
        return avx2 && __builtin_cpu_supports("avx512f");
    return isa == GTR_ISA_PORTABLE || (isa == GTR_ISA_AVX2 && avx2);
}
#else
bool gtr_isa_here(enum gtr_isa isa)
{
    return isa == GTR_ISA_PORTABLE;
}
#endif

static enum gtr_isa fastest(void)
{
    static atomic_int known = GTR_ISA_COUNT; /* cpuid traps under a hypervisor: ask once */
    int isa = atomic_load_explicit(&known, memory_order_relaxed);

    if (isa != GTR_ISA_COUNT)
        return (enum gtr_isa)isa;
    for (isa = GTR_ISA_COUNT - 1; isa > 0 && !gtr_isa_here((enum gtr_isa)isa);)
        isa--;
    atomic_store_explicit(&known, isa, memory_order_relaxed);
    return (enum gtr_isa)isa;
}

enum gtr_isa gtr_isa_find(void)
{
    int isa = atomic_load_explicit(&forced, memory_order_relaxed);

    return isa != GTR_ISA_COUNT ? (enum gtr_isa)isa : fastest();
}

void gtr_isa_force(enum gtr_isa isa)
{
    atomic_store(&forced, (int)isa);
}
