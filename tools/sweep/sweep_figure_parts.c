/* sweep_figure_parts.c - settings, knobs and objectives as the figures of a sweep name them. */
#include "sweep_figure_parts.h"

#include <math.h>
#include <string.h>

/* --- settings and knobs -------------------------------------------------------------------- */

bool sweep_counts(const struct sweep_figures *what, size_t setting)
{
    return what->found->keep[setting] && isfinite(what->found->goal_values[0][setting]);
}

static double weight_of(const struct sweep_figures *what, size_t knob)
{
    const struct gtr_sensitivity *s = &what->found->sensitivity[knob];

    return isfinite(s->total) ? s->total : isfinite(s->first) ? s->first : 0.0;
}

size_t sweep_count_knobs(const struct sweep_figures *what, size_t policy)
{
    size_t n = 0, knob;

    for (knob = 0; knob < what->found->n_knobs; knob++)
        n += gtr_plan_knob_policy(what->plan, knob) == policy ? 1 : 0;
    return n;
}

bool sweep_shows_knee(const struct sweep_figures *what, size_t policy)
{
    return what->found->advice->knee >= what->found->policy_row[policy] &&
           what->found->advice->knee < what->found->policy_row[policy + 1];
}

size_t sweep_knobs(const struct sweep_figures *what, size_t policy, size_t *knobs, size_t most)
{
    size_t n = 0, knob, k;

    for (knob = 0; knob < what->found->n_knobs; knob++) {
        if (gtr_plan_knob_policy(what->plan, knob) != policy)
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

const char *sweep_choices(const struct sweep_figures *what, size_t knob)
{
    size_t policy = gtr_plan_knob_policy(what->plan, knob);
    const char *own = gtr_plan_knob_name(what->plan, knob);
    const struct gtr_param_spec *param;
    char name[LABEL_SIZE];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(own, "@"), own);
    param = gtr_param_find(gtr_policy_spec(gtr_plan_policy_id(what->plan, policy)), name);
    return param != NULL ? param->choices : NULL;
}

void sweep_value_text(const char *choices, double value, char text[LABEL_SIZE])
{
    double k;

    for (k = 0.0; choices != NULL && k < value; k++) {
        choices = strchr(choices, '|');
        choices += choices != NULL ? 1 : 0;
    }
    if (choices != NULL && k == value) {
        snprintf(text, LABEL_SIZE, "%.*s", (int)strcspn(choices, "|"), choices);
        return;
    }
    /* 0.9987 is another setting than 0.999. */
    snprintf(text, LABEL_SIZE, value > 0.99 && value < 1.0 ? "%.4g" : "%.3g", value);
}

void sweep_setting_text(const struct sweep_figures *what, size_t setting, char *text, size_t size)
{
    const char *policy = "";
    size_t used, knob, p;

    for (p = 0; what->found->n_policies > 1 && p < what->found->n_policies; p++)
        if (setting >= what->found->policy_row[p] && setting < what->found->policy_row[p + 1])
            policy = what->results->study->labels[p];
    used = (size_t)snprintf(text, size, "%s", policy);
    for (knob = 0; knob < what->found->n_knobs; knob++) {
        double value = what->found->knobs[setting * what->found->n_knobs + knob];
        char word[LABEL_SIZE];

        if (setting < what->found->policy_row[gtr_plan_knob_policy(what->plan, knob)] ||
            setting >= what->found->policy_row[gtr_plan_knob_policy(what->plan, knob) + 1] ||
            used >= size)
            continue;
        sweep_value_text(sweep_choices(what, knob), value, word);
        used += (size_t)snprintf(text + used, size - used, "%s%s %s", used > 0 ? ", " : "",
                                 gtr_plan_knob_name(what->plan, knob), word);
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

bool sweep_is_wide(const struct curve_range *span)
{
    return span->low > 0.0 && span->high > 20.0 * span->low;
}
