/* scaling_table.c - columns and rules.
 *
 * What happens at no step is "-" and not "0%": a table of zeros hides the rows that matter.
 */
#include "scaling_table.h"

#include <math.h>
#include <string.h>

enum { NAME_MIN = 8, LABEL_MAX = 40 };

/* A share in its column, and "-" for never: a table of zeros hides the rows that matter. */
static void put_rate(FILE *f, uint64_t part, uint64_t whole)
{
    char text[TELL_SIZE];

    fprintf(f, " %7s", part == 0 ? "-" : tell_part(part, whole, text));
}

/* What a training with this policy may come to. */
static void put_trust(FILE *f, const struct gtr_trust *trust)
{
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE], d[TELL_SIZE];

    if (isnan(trust->clip_rate.low))
        return;
    fprintf(f,
            "\n  expected of a training: %s to %s of steps, %s to %s of decisions; mean scale %.3f "
            "to %.3f",
            tell_share(trust->step_rate.low, a), tell_share(trust->step_rate.high, b),
            tell_share(trust->clip_rate.low, c), tell_share(trust->clip_rate.high, d),
            trust->scale_mean.low, trust->scale_mean.high);
    if (trust->among_usual)
        fputs("\n  the limit lies among the usual norms, where that is least certain: record a run "
              "with it, and\n  replay that",
              f);
}

static void put_headline(FILE *f, const char *label, const char *setting,
                         const struct gtr_scaling_report *report)
{
    const struct gtr_scaling *pooled = &report->pooled;
    char steps[TELL_SIZE], decisions[TELL_SIZE];

    tell_text(f, label);
    if (strcmp(label, setting) != 0) {
        fputs("\n  setting: ", f);
        tell_text(f, setting);
    }
    fprintf(f, "\n  clips %s of steps and %s of decisions (a decision: one group at one step)",
            tell_part(report->n_clipped_steps, report->n_steps, steps),
            tell_part(pooled->n_clipped, pooled->n_decisions, decisions));
    if (pooled->n_raised > 0)
        fprintf(f, ", raises %s", tell_part(pooled->n_raised, pooled->n_decisions, decisions));
    if (report->n_skipped > 0)
        fprintf(f, "; %llu step%s skipped", (unsigned long long)report->n_skipped,
                tell_s(report->n_skipped));
    put_trust(f, &pooled->trust);
    if (!isnan(report->cos_mean))
        fprintf(f,
                "\n  direction kept: cosine with the recorded gradient %.4f on average, %.4f at "
                "least",
                report->cos_mean, report->cos_min);
    fputs("\n\n", f);
}

static void put_scales(FILE *f, const struct gtr_scaling *s)
{
    put_rate(f, s->n_clipped, s->n_decisions);
    put_rate(f, s->n_raised, s->n_decisions);
    put_rate(f, s->n_capped, s->n_decisions);
    put_rate(f, s->n_empty, s->n_decisions);
    fprintf(f, " %7.4f %7.4f %7.4f %7.4f %7.4f %7.4f", s->mean, s->min, s->p01, s->p50, s->p99,
            s->max);
    fprintf(f, " %7llu", (unsigned long long)s->longest_run);
    if (s->first_clipped < 0)
        fprintf(f, " %7s", "-");
    else
        fprintf(f, " %7lld", (long long)s->first_clipped);
    fprintf(f, " %5llu\n", (unsigned long long)s->cold_start);
}

static void put_norm_summary(FILE *f, const struct gtr_norm_summary *summary)
{
    fprintf(f, " %10.4g %10.4g %8.3g %7.3g", summary->p50, summary->p99, summary->tail,
            summary->cv);
}

static void put_norms(FILE *f, const struct gtr_scaling *s)
{
    put_norm_summary(f, &s->before);
    fputs("  ", f);
    put_norm_summary(f, &s->after);
    fputc('\n', f);
}

/* A row for each group and one for all of them. */
static void put_rows(FILE *f, const struct tell_names *names, const char *all,
                     const struct gtr_scaling_report *report,
                     void (*put)(FILE *f, const struct gtr_scaling *s))
{
    size_t j;

    for (j = 0; j < names->n; j++) {
        fputs("  ", f);
        tell_name(f, names, j);
        put(f, &report->group[j]);
    }
    fprintf(f, "  %-*s", (int)names->width, all);
    put(f, &report->pooled);
}

void scaling_table_print(FILE *f, const char *label, const char *setting,
                         const struct tell_names *names, const struct gtr_scaling_report *report)
{
    int width = (int)names->width;

    put_headline(f, label, setting, report);
    fprintf(f, "  %-*s %31s %47s %21s\n", width, "", "share of decisions", "scale",
            "clipped steps");
    fprintf(f, "  %-*s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %5s\n", width, "group",
            "clipped", "raised", "capped", "empty", "mean", "min", "p01", "p50", "p99", "max",
            "longest", "first", "cold");
    put_rows(f, names, "(pooled)", report, put_scales);
    fprintf(f, "\n  %-*s %38s %40s\n", width, "", "norm before", "norm after");
    fprintf(f, "  %-*s %10s %10s %8s %7s   %10s %10s %8s %7s\n", width, "group", "p50", "p99",
            "p99/p50", "cv", "p50", "p99", "p99/p50", "cv");
    put_rows(f, names, "(all)", report, put_norms);
    fputc('\n', f);
}

void scaling_table_compare(FILE *f, char *const *labels, struct gtr_scaling_report *const *reports,
                           size_t n)
{
    struct tell_names names;
    size_t i;

    tell_names_make(&names, (const char *const *)labels, n, NAME_MIN, LABEL_MAX);
    fprintf(f, "side by side\n\n  %-*s %7s %23s %15s %17s %17s\n", (int)names.width, "", "steps",
            "share of decisions", "scale", "norm after", "direction kept");
    fprintf(f, "  %-*s %7s %7s %7s %7s %7s %7s %9s %7s %8s %8s\n", (int)names.width, "policy",
            "clipped", "clipped", "raised", "capped", "mean", "min", "p50", "p99/p50", "mean",
            "least");
    for (i = 0; i < n; i++) {
        const struct gtr_scaling *pooled = &reports[i]->pooled;

        fputs("  ", f);
        tell_name(f, &names, i);
        put_rate(f, reports[i]->n_clipped_steps, reports[i]->n_steps);
        put_rate(f, pooled->n_clipped, pooled->n_decisions);
        put_rate(f, pooled->n_raised, pooled->n_decisions);
        put_rate(f, pooled->n_capped, pooled->n_decisions);
        fprintf(f, " %7.4f %7.4f %9.4g %7.3g %8.4f %8.4f\n", pooled->mean, pooled->min,
                pooled->after.p50, pooled->after.tail, reports[i]->cos_mean, reports[i]->cos_min);
    }
    fputc('\n', f);
    tell_names_free(&names);
}

static void put_row(struct rows *rows, const char *label, const char *name,
                    const struct gtr_scaling *s)
{
    size_t i;

    rows_text(rows, label);
    rows_text(rows, name);
    for (i = 0; i < gtr_scaling_n_columns(); i++)
        rows_number(rows, gtr_scaling_column(s, i));
}

void scaling_table_rows(struct rows *rows, char *const *labels, const struct gtr_series *series,
                        struct gtr_scaling_report *const *reports, size_t n)
{
    size_t i, j;

    rows_columns(rows, "policy group");
    for (i = 0; i < gtr_scaling_n_columns(); i++)
        rows_column(rows, gtr_scaling_column_name(i));
    for (i = 0; i < n; i++) {
        for (j = 0; j < series->n_groups; j++)
            put_row(rows, labels[i], series->names[j], &reports[i]->group[j]);
        put_row(rows, labels[i], "(pooled)", &reports[i]->pooled);
    }
}
