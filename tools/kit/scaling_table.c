/* scaling_table.c - columns and rules. */
#include "scaling_table.h"

#include <math.h>
#include <string.h>

enum { NAME_MIN = 8, NAME_MAX = 24 };

static int name_width(const struct gtr_series *series)
{
    size_t width = NAME_MIN, j;

    for (j = 0; j < series->n_groups; j++)
        if (strlen(series->names[j]) > width)
            width = strlen(series->names[j]);
    return (int)(width < NAME_MAX ? width : NAME_MAX);
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

/* "12.3%", and "-" for never: a table of zeros hides the rows that matter. */
static void put_rate(FILE *f, uint64_t part, uint64_t whole)
{
    if (part == 0)
        fprintf(f, " %7s", "-");
    else
        fprintf(f, " %6.1f%%", percent(part, whole));
}

static void put_headline(FILE *f, const char *label, const char *setting,
                         const struct gtr_scaling_report *report)
{
    const struct gtr_scaling *pooled = &report->pooled;

    fprintf(f, "%s\n", label);
    if (strcmp(label, setting) != 0)
        fprintf(f, "  setting: %s\n", setting);
    fprintf(f,
            "  clips %.1f%% of steps and %.1f%% of decisions (a decision: one group at one step)",
            percent(report->n_clipped_steps, report->n_steps),
            percent(pooled->n_clipped, pooled->n_decisions));
    if (pooled->n_raised > 0)
        fprintf(f, ", raises %.1f%%", percent(pooled->n_raised, pooled->n_decisions));
    if (report->n_skipped > 0)
        fprintf(f, "; %llu steps skipped", (unsigned long long)report->n_skipped);
    if (isnan(report->cos_mean))
        fputs("\n", f);
    else
        fprintf(f,
                "\n  direction kept: cosine with the recorded gradient %.4f on average, %.4f at "
                "least\n",
                report->cos_mean, report->cos_min);
    fputc('\n', f);
}

static void put_scale_row(FILE *f, int width, const char *name, const struct gtr_scaling *s)
{
    fprintf(f, "  %-*.*s", width, width, name);
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

static void put_norm_row(FILE *f, int width, const char *name, const struct gtr_scaling *s)
{
    fprintf(f, "  %-*.*s", width, width, name);
    put_norm_summary(f, &s->before);
    fputs("  ", f);
    put_norm_summary(f, &s->after);
    fputc('\n', f);
}

void scaling_table_print(FILE *f, const char *label, const char *setting,
                         const struct gtr_series *series, const struct gtr_scaling_report *report)
{
    int width = name_width(series);
    size_t j;

    put_headline(f, label, setting, report);
    fprintf(f, "  %-*s %31s %47s %21s\n", width, "", "share of decisions", "scale",
            "clipped steps");
    fprintf(f, "  %-*s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %5s\n", width, "group",
            "clipped", "raised", "capped", "empty", "mean", "min", "p01", "p50", "p99", "max",
            "longest", "first", "cold");
    for (j = 0; j < series->n_groups; j++)
        put_scale_row(f, width, series->names[j], &report->group[j]);
    put_scale_row(f, width, "(pooled)", &report->pooled);
    fprintf(f, "\n  %-*s %38s %40s\n", width, "", "norm before", "norm after");
    fprintf(f, "  %-*s %10s %10s %8s %7s   %10s %10s %8s %7s\n", width, "group", "p50", "p99",
            "p99/p50", "cv", "p50", "p99", "p99/p50", "cv");
    for (j = 0; j < series->n_groups; j++)
        put_norm_row(f, width, series->names[j], &report->group[j]);
    put_norm_row(f, width, "(all)", &report->pooled);
    fputc('\n', f);
}

void scaling_table_compare(FILE *f, char *const *labels, struct gtr_scaling_report *const *reports,
                           size_t n)
{
    size_t width = NAME_MIN, i;

    for (i = 0; i < n; i++)
        if (strlen(labels[i]) > width)
            width = strlen(labels[i]);
    fprintf(f, "side by side\n\n  %-*s %7s %23s %15s %17s %17s\n", (int)width, "", "steps",
            "share of decisions", "scale", "norm after", "direction kept");
    fprintf(f, "  %-*s %7s %7s %7s %7s %7s %7s %9s %7s %8s %8s\n", (int)width, "policy", "clipped",
            "clipped", "raised", "capped", "mean", "min", "p50", "p99/p50", "mean", "least");
    for (i = 0; i < n; i++) {
        const struct gtr_scaling *pooled = &reports[i]->pooled;

        fprintf(f, "  %-*s", (int)width, labels[i]);
        put_rate(f, reports[i]->n_clipped_steps, reports[i]->n_steps);
        put_rate(f, pooled->n_clipped, pooled->n_decisions);
        put_rate(f, pooled->n_raised, pooled->n_decisions);
        put_rate(f, pooled->n_capped, pooled->n_decisions);
        fprintf(f, " %7.4f %7.4f %9.4g %7.3g %8.4f %8.4f\n", pooled->mean, pooled->min,
                pooled->after.p50, pooled->after.tail, reports[i]->cos_mean, reports[i]->cos_min);
    }
    fputc('\n', f);
}

void scaling_tsv_header(FILE *f)
{
    size_t i;

    fputs("policy\tgroup", f);
    for (i = 0; i < gtr_scaling_n_columns(); i++)
        fprintf(f, "\t%s", gtr_scaling_column_name(i));
    fputc('\n', f);
}

static void tsv_row(FILE *f, const char *label, const char *name, const struct gtr_scaling *s)
{
    char text[GTR_NUMBER_SIZE];
    size_t i;

    fprintf(f, "%s\t%s", label, name);
    for (i = 0; i < gtr_scaling_n_columns(); i++) {
        gtr_text_print(gtr_scaling_column(s, i), text);
        fprintf(f, "\t%s", text);
    }
    fputc('\n', f);
}

void scaling_tsv_rows(FILE *f, const char *label, const struct gtr_series *series,
                      const struct gtr_scaling_report *report)
{
    size_t j;

    for (j = 0; j < series->n_groups; j++)
        tsv_row(f, label, series->names[j], &report->group[j]);
    tsv_row(f, label, "(pooled)", &report->pooled);
}
