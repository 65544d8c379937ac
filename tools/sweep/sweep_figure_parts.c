/* sweep_figure_parts.c - settings, knobs and objectives as the figures of a sweep name them. */
#include "sweep_figure_parts.h"

#include <math.h>
#include <string.h>

/* --- settings and knobs -------------------------------------------------------------------- */

bool sweep_counts(const struct sweep_figures *what, size_t setting)
{
    return (what->keep == NULL || what->keep[setting]) && isfinite(what->goal_values[0][setting]);
}

static double weight_of(const struct sweep_figures *what, size_t knob)
{
    const struct gtr_sensitivity *s = what->sensitivity;

    if (s == NULL)
        return 0.0;
    return isfinite(s[knob].total) ? s[knob].total : isfinite(s[knob].first) ? s[knob].first : 0.0;
}

size_t sweep_knobs(const struct sweep_figures *what, size_t policy, size_t *knobs, size_t most)
{
    size_t n = 0, knob, k;

    for (knob = 0; knob < what->n_knobs; knob++) {
        if (what->knob_policy[knob] != policy)
            continue;
        /* Insertion, so that equals keep their order. */
        for (k = n; k > 0 && weight_of(what, knobs[k - 1]) < weight_of(what, knob); k--)
            if (k < most)
                knobs[k] = knobs[k - 1];
        if (k < most)
            knobs[k] = knob;
        n += n < most ? 1 : 0;
    }
    return n;
}

void sweep_value_text(const char *const *words, double value, char text[LABEL_SIZE])
{
    size_t k;

    for (k = 0; words != NULL && words[k] != NULL; k++) {
        if ((double)k == value) {
            snprintf(text, LABEL_SIZE, "%s", words[k]);
            return;
        }
    }
    /* 0.9987 is another setting than 0.999. */
    snprintf(text, LABEL_SIZE, value > 0.99 && value < 1.0 ? "%.4g" : "%.3g", value);
}

void sweep_setting_text(const struct sweep_figures *what, size_t setting, char *text, size_t size)
{
    const char *policy = "";
    size_t used, knob, p;

    for (p = 0; what->n_policies > 1 && p < what->n_policies; p++)
        if (setting >= what->first[p] && setting < what->first[p + 1])
            policy = what->policies[p];
    used = (size_t)snprintf(text, size, "%s", policy);
    for (knob = 0; knob < what->n_knobs; knob++) {
        double value = what->knob_values[setting * what->n_knobs + knob];
        char word[LABEL_SIZE];

        if (setting < what->first[what->knob_policy[knob]] ||
            setting >= what->first[what->knob_policy[knob] + 1] || used >= size)
            continue;
        sweep_value_text(what->knob_words != NULL ? what->knob_words[knob] : NULL, value, word);
        used += (size_t)snprintf(text + used, size - used, "%s%s %s", used > 0 ? ", " : "",
                                 what->knobs[knob], word);
    }
}

/* --- names and numbers --------------------------------------------------------------------- */

double sweep_label(const char *objective, char label[LABEL_SIZE])
{
    static const struct {
        const char *name, *label;
        double factor;
    } known[] = {
        { "clip_rate", "clipped (% of decisions)", 100.0 },
        { "raise_rate", "raised (% of decisions)", 100.0 },
        { "saturation", "capped (% of decisions)", 100.0 },
        { "empty_rate", "empty interval (% of decisions)", 100.0 },
        { "scale_mean", "mean scale", 1.0 },
        { "scale_min", "least scale", 1.0 },
        { "scale_max", "largest scale", 1.0 },
        { "attenuation", "attenuation (nats)", 1.0 },
        { "volatility", "volatility (nats)", 1.0 },
        { "leak", "leak (nats)", 1.0 },
        { "distortion", "distortion (1 - cosine)", 1.0 },
        { "spill", "spill (share of attenuation)", 1.0 },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(known); i++) {
        if (strcmp(objective, known[i].name) == 0) {
            snprintf(label, LABEL_SIZE, "%s", known[i].label);
            return known[i].factor;
        }
    }
    snprintf(label, LABEL_SIZE, "%s", objective);
    return 1.0;
}

void sweep_span_init(struct sweep_span *span)
{
    *span = (struct sweep_span){ (double)NAN, (double)NAN, (double)NAN, 0 };
}

void sweep_span_see(struct sweep_span *span, double value)
{
    if (!isfinite(value))
        return;
    span->n++;
    span->low = value < span->low || isnan(span->low) ? value : span->low;
    span->high = value > span->high || isnan(span->high) ? value : span->high;
    if (value > 0.0 && !(value >= span->low_positive))
        span->low_positive = value;
}

bool sweep_span_is_wide(const struct sweep_span *span)
{
    return span->low > 0.0 && span->high > 20.0 * span->low;
}

void sweep_set_element(FILE *f, const char *array, size_t k, const char *text)
{
    fprintf(f, "%s[%zu] = ", array, k);
    figure_write_string(f, text);
    fputc('\n', f);
}
