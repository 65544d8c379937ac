/* spill_story.c - the worst steps, each as a sentence or two.
 *
 * Worst is where groups above their own past take most from the rest.
 */
#include <math.h>

#include "spill_found.h"
#include "tell.h"

/* Groups with blame at a step, most of it first, as many as are named. */
enum { NAMED = 3 };

struct step {
    size_t t, n_above; /* groups with blame */
    size_t named[NAMED];
    double s, s_fair; /* what the clip left, and would have left */
};

static struct step step_of(const struct gtr_spill *spill, size_t t)
{
    struct step step = { .t = t };
    size_t j, k;

    for (j = 0; j < spill->n_groups; j++) {
        double blame = spill->blame[j * spill->n_steps + t];

        if (!(blame > 0.0))
            continue;
        for (k = step.n_above < NAMED ? step.n_above : NAMED;
             k > 0 && blame > spill->blame[step.named[k - 1] * spill->n_steps + t]; k--)
            if (k < NAMED)
                step.named[k] = step.named[k - 1];
        if (k < NAMED)
            step.named[k] = j;
        step.n_above++;
    }
    step.s = exp(-spill->attenuation[t]);
    step.s_fair = exp(-(spill->attenuation[t] - spill->excess[t]));
    return step;
}

static double factor(const struct spill_found *found, size_t group, size_t t)
{
    return exp(found->baseline->log_ratio[group * found->baseline->n_steps + t]);
}

/* As many as a line holds. */
static void put_others(FILE *f, const struct spill_found *found, const struct tell_names *names,
                       const struct step *step)
{
    size_t shown = step->n_above < NAMED ? step->n_above : NAMED, room = 68, k;

    if (step->n_above < 2) {
        fputs("nobody else was above its past", f);
        return;
    }
    fputs("above its past too: ", f);
    for (k = 1; k < shown; k++) {
        const char *name = tell_name_text(names, step->named[k]);
        size_t needed = tell_letters(name) + 14;

        if (k > 1 && needed > room)
            break;
        room -= needed < room ? needed : room;
        fprintf(f, "%s%s", k > 1 ? ", " : "", name);
        fprintf(f, " (%.2g times)", factor(found, step->named[k], step->t));
    }
    if (step->n_above > k)
        fprintf(f, ", and %zu more", step->n_above - k);
}

static void put_step(FILE *f, const struct spill_found *found, const struct tell_names *names,
                     size_t t)
{
    const struct gtr_spill *spill = found->policies[found->main].spill;
    const struct gtr_series *series = found->study->series;
    struct step step = step_of(spill, t);
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE];
    size_t first = step.named[0];

    if (step.n_above == 0)
        return;
    fprintf(f, "  step %lld: ", (long long)series->index[t]);
    tell_text(f, series->names[first]);
    fprintf(f, " at %.2g times its average\n    norm %.3g of %.3g in all, %s of the blame\n    ",
            factor(found, first, t), sqrt(series->sumsq[first * series->n_steps + t]),
            series->total[t],
            tell_share(spill->blame[first * spill->n_steps + t] / spill->excess[t], a));
    put_others(f, found, names, &step);
    fprintf(f, "\n    %s was cut to %s of its gradient; without the excess ",
            spill->n_groups > step.n_above ? "everyone else" : "everyone", tell_share(step.s, b));
    if (step.s_fair < 1.0)
        fprintf(f, "to %s\n", tell_share(step.s_fair, c));
    else
        fputs("nobody would be clipped\n", f);
}

void spill_story(FILE *f, const struct spill_found *found, const struct tell_names *names)
{
    size_t k;

    if (found->n_worst == 0)
        return;
    fputs("the worst steps\n", f);
    for (k = 0; k < found->n_worst; k++)
        put_step(f, found, names, found->worst[k]);
    fputc('\n', f);
}
