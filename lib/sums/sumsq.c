/* sumsq.c - from one block's kernel to a tensor: tails, bad elements, the tree, threads.
 *
 * The kernel runs over whole blocks as they lie in memory.  A block that is short, or whose sum
 * says that something in it is not finite, is copied, cleaned and run again.
 */
#include "sumsq.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "sumsq_kernels.h"
#include "threads.h"
#include "tree.h"

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

enum {
    SHARES_MAX = 512,           /* subtrees given to threads; twice the threads there can be */
    SHARE_BLOCKS = 256,         /* least blocks of one: 1 MiB of f32, 30 us */
    ELEMENTS_A_THREAD = 1 << 19 /* starting a thread costs as much as 100,000 elements */
};

static const struct gtr_sumsq_kernels *const kernels[GTR_ISA_COUNT] = {
    [GTR_ISA_PORTABLE] = &gtr_sumsq_portable,
#ifdef __x86_64__
    [GTR_ISA_AVX2] = &gtr_sumsq_avx2,
    [GTR_ISA_AVX512] = &gtr_sumsq_avx512,
#endif
};

/* What a subtree comes to. */
struct share {
    double sumsq;
    double top; /* largest square, f64: largest magnitude */
    uint64_t nonfinite;
};

/* Step 4 of sumsq.h as blocks come in. */
struct tree {
    double pending[GTR_TREE_LEVELS_MAX];
    uint64_t n;
};

static void tree_add(struct tree *tree, double sum)
{
    gtr_tree_add(tree->pending, 1, tree->n++, &sum);
}

static double tree_sum(const struct tree *tree)
{
    double sum;

    gtr_tree_sum(tree->pending, 1, tree->n, &sum);
    return sum;
}

/* Sets the NaN and infinite ones of n elements to +0 and returns how many there were: those whose
 * exponent is all ones. */
#define DEFINE_CLEAN(name, bits, exponent)           \
    static uint64_t name(void *elements, size_t n)   \
    {                                                \
        char *p = elements;                          \
        uint64_t count = 0;                          \
        size_t i;                                    \
                                                     \
        for (i = 0; i < n; i++, p += sizeof(bits)) { \
            bits x;                                  \
                                                     \
            memcpy(&x, p, sizeof x);                 \
            if ((x & (exponent)) == (exponent)) {    \
                memset(p, 0, sizeof x);              \
                count++;                             \
            }                                        \
        }                                            \
        return count;                                \
    }
DEFINE_CLEAN(clean_f32, uint32_t, 0x7f800000)
DEFINE_CLEAN(clean_f16, uint16_t, 0x7c00)
DEFINE_CLEAN(clean_bf16, uint16_t, 0x7f80)
DEFINE_CLEAN(clean_f64, uint64_t, UINT64_C(0x7ff0000000000000))

static uint64_t clean(enum gtr_dtype dtype, void *elements, size_t n)
{
    switch (dtype) {
    case GTR_F32:
        return clean_f32(elements, n);
    case GTR_F16:
        return clean_f16(elements, n);
    case GTR_BF16:
        return clean_bf16(elements, n);
    case GTR_F64:
        return clean_f64(elements, n);
    case GTR_DTYPE_COUNT:
        break;
    }
    return 0;
}

struct job {
    enum gtr_dtype dtype;
    void (*kernel)(const void *block, double *sumsq, double *top);
    const char *elements;
    char *copy; /* NULL: none is made */
    uint64_t numel;
    uint64_t share_elements;
    struct share *shares;
};

/* One block of n <= 1024 elements that may hold anything. */
static void reduce_copy(const struct job *job, const void *elements, size_t n, struct share *block)
{
    double copy[GTR_SUMSQ_BLOCK] = { 0 }; /* room for any dtype */

    memcpy(copy, elements, n * gtr_dtype_size(job->dtype));
    block->nonfinite = clean(job->dtype, copy, n);
    job->kernel(copy, &block->sumsq, &block->top);
}

/* The subtree over elements first .. first + n - 1. */
static void reduce_run(const struct job *job, uint64_t first, uint64_t n, struct share *out)
{
    size_t size = gtr_dtype_size(job->dtype);
    struct tree tree;
    struct share sum = { 0 };
    uint64_t done = 0;

    tree.n = 0;
    while (done < n) {
        const char *p = job->elements + (first + done) * size;
        uint64_t left = n - done;
        struct share block = { 0 };

        if (left >= GTR_SUMSQ_BLOCK)
            job->kernel(p, &block.sumsq, &block.top);
        if (left < GTR_SUMSQ_BLOCK || !(block.sumsq <= DBL_MAX))
            reduce_copy(job, p, left < GTR_SUMSQ_BLOCK ? (size_t)left : GTR_SUMSQ_BLOCK, &block);
        if (job->copy != NULL) /* while the block is in the cache */
            memcpy(job->copy + (first + done) * size, p,
                   (left < GTR_SUMSQ_BLOCK ? (size_t)left : GTR_SUMSQ_BLOCK) * size);
        tree_add(&tree, block.sumsq);
        sum.top = block.top > sum.top ? block.top : sum.top;
        sum.nonfinite += block.nonfinite;
        done += GTR_SUMSQ_BLOCK;
    }
    sum.sumsq = tree_sum(&tree);
    *out = sum;
}

static void reduce_share(void *context, size_t item, size_t worker)
{
    const struct job *job = context;
    uint64_t first = item * job->share_elements;
    uint64_t left = job->numel - first;

    (void)worker;
    reduce_run(job, first, left < job->share_elements ? left : job->share_elements,
               &job->shares[item]);
}

/* Cuts the tensor into subtrees of equal, power-of-two size, and puts them together again. */
static void reduce_shared(struct job *job, size_t n_threads, struct share *out)
{
    struct share shares[SHARES_MAX];
    struct tree tree;
    size_t n_shares, i;

    job->share_elements = (uint64_t)SHARE_BLOCKS * GTR_SUMSQ_BLOCK;
    while ((job->numel - 1) / job->share_elements >= SHARES_MAX)
        job->share_elements *= 2;
    n_shares = (size_t)((job->numel - 1) / job->share_elements) + 1;
    job->shares = shares;
    gtr_threads_run(n_threads, n_shares, reduce_share, job);

    tree.n = 0;
    *out = (struct share){ 0 };
    for (i = 0; i < n_shares; i++) {
        tree_add(&tree, shares[i].sumsq);
        out->top = shares[i].top > out->top ? shares[i].top : out->top;
        out->nonfinite += shares[i].nonfinite;
    }
    out->sumsq = tree_sum(&tree);
}

/* A function of its own at all times: what sets the processor's rounding around it must not be
 * mixed with its arithmetic. */
__attribute__((noinline)) static void reduce_tensor(struct job *job, size_t n_threads,
                                                    struct gtr_reduction *out)
{
    uint64_t useful = job->numel / ELEMENTS_A_THREAD;
    struct share sum;

    if (n_threads == 0 && useful > 1)
        n_threads = gtr_threads_available();
    if (n_threads > useful)
        n_threads = (size_t)useful;
    if (n_threads > 1)
        reduce_shared(job, n_threads, &sum);
    else
        reduce_run(job, 0, job->numel, &sum);
    out->sumsq = sum.sumsq;
    /* The square of any f32 is exact in double, and so is its root. */
    out->maxabs = job->dtype == GTR_F64 ? (float)sum.top : (float)sqrt(sum.top);
    out->nonfinite = sum.nonfinite;
}

/* Training programs may run with subnormals flushed to zero (torch.set_flush_denormal, or a
 * library linked with -ffast-math) or with traps; neither may change a trace.  Threads inherit the
 * state of the one that starts them. */
void gtr_reduce_copy(enum gtr_dtype dtype, const void *elements, uint64_t numel, size_t n_threads,
                     void *copy, struct gtr_reduction *out)
{
    struct job job = { .dtype = dtype, .elements = elements, .copy = copy, .numel = numel };
#ifdef __x86_64__
    unsigned was = _mm_getcsr();

    _mm_setcsr(0x1f80); /* as a program starts: to nearest, nothing flushed, no traps */
#endif
    job.kernel = kernels[gtr_isa_find()]->reduce[dtype];
    reduce_tensor(&job, n_threads, out);
#ifdef __x86_64__
    _mm_setcsr(was);
#endif
}

void gtr_reduce(enum gtr_dtype dtype, const void *elements, uint64_t numel, size_t n_threads,
                struct gtr_reduction *out)
{
    gtr_reduce_copy(dtype, elements, numel, n_threads, NULL, out);
}
