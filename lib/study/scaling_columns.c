/* scaling_columns.c - the statistics in the order in which files hold them. */
#include "alloc.h"
#include "scaling.h"

static double share(uint64_t part, const struct gtr_scaling *s)
{
    return (double)part / (double)s->n_decisions;
}

/* Name, and its value in terms of `s`: the list is the only place that knows both. */
#define COLUMNS(X)                             \
    X(decisions, (double)s->n_decisions)       \
    X(clip_rate, share(s->n_clipped, s))       \
    X(raise_rate, share(s->n_raised, s))       \
    X(saturation, share(s->n_capped, s))       \
    X(empty_rate, share(s->n_empty, s))        \
    X(scale_mean, s->mean)                     \
    X(scale_min, s->min)                       \
    X(scale_p01, s->p01)                       \
    X(scale_p50, s->p50)                       \
    X(scale_p99, s->p99)                       \
    X(scale_max, s->max)                       \
    X(longest_run, (double)s->longest_run)     \
    X(first_clipped, (double)s->first_clipped) \
    X(cold_start, (double)s->cold_start)       \
    X(norm_p50, s->before.p50)                 \
    X(norm_p99, s->before.p99)                 \
    X(norm_tail, s->before.tail)               \
    X(norm_cv, s->before.cv)                   \
    X(norm_out_p50, s->after.p50)              \
    X(norm_out_p99, s->after.p99)              \
    X(norm_out_tail, s->after.tail)            \
    X(norm_out_cv, s->after.cv)

static const char *const names[] = {
#define X(name, value) #name,
    COLUMNS(X)
#undef X
};

size_t gtr_scaling_n_columns(void)
{
    return GTR_ARRAY_LEN(names);
}

const char *gtr_scaling_column_name(size_t column)
{
    return names[column];
}

double gtr_scaling_column(const struct gtr_scaling *s, size_t column)
{
    const double values[] = {
#define X(name, value) value,
        COLUMNS(X)
#undef X
    };

    return values[column];
}
