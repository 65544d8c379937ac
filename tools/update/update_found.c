/* update_found.c - decisions, proxies, simulated updates, and what they say of one place.
 *
 * Decides which optimizer is simulated (the run's own, unless told otherwise), on which device, and
 * how many of the first steps no statistic counts.
 */
#include "update_found.h"

#include <math.h>
#include <stdio.h>

#include "progress.h"
#include "ranks.h"

/* --- which optimizer ----------------------------------------------------------------------- */

static void find_optimizer(struct update_found *found)
{
    const struct update_options *o = found->options;

    if (o->has_optimizer) {
        found->optimizer = o->optimizer;
        snprintf(found->optimizer_from, sizeof found->optimizer_from, "as --optimizer says");
        return;
    }
    study_optimizer_from(found->study, &found->optimizer, found->optimizer_from,
                         sizeof found->optimizer_from);
}

const char *update_optimizer_name(const struct update_found *found)
{
    return gtr_optimizer_title(&found->optimizer);
}

/* Of the slowest of its decays; those that it does not have are 0. */
double update_memory(const struct update_found *found)
{
    const struct gtr_optimizer *o = &found->optimizer;
    double decay = fmax(fmax(o->beta1, o->beta2), o->momentum);

    return decay > 0.0 ? 1.0 / (1.0 - decay) : 0.0;
}

/* --- what norms tell ----------------------------------------------------------------------- */

/* Guessed of the captured steps, so that the guess can be held against what it guesses. */
static enum gtr_code replay_all(struct update_found *found, struct gtr_err *err)
{
    const struct study *study = found->study;
    size_t n_rows = gtr_trace_n_captures(study->trace), i;
    const int64_t *rows = n_rows > 0 ? gtr_trace_capture_rows(study->trace) : NULL;
    enum gtr_code rc;

    rc = gtr_alloc_for(&found->decisions, study->n_settings, sizeof *found->decisions, "policies",
                       err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&found->rho, study->n_settings, sizeof *found->rho, "policies", err);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        rc = gtr_replay_run(study->replay, study->settings[i], &found->decisions[i], err);
        if (rc == GTR_OK)
            rc = study_proxy(study, found->decisions[i], &found->optimizer, rows, n_rows,
                             &found->rho[i], err);
    }
    return rc;
}

static enum gtr_code count_elements(struct update_found *found, struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(found->study->trace);
    enum gtr_code rc = gtr_alloc_for(&found->numel, found->n_groups, sizeof(double), "groups", err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++)
        found->numel[found->study->groups->of_tensor[i]] += (double)head->tensors[i].numel;
    return rc;
}

/* --- the simulation ------------------------------------------------------------------------ */

/* Started at the first call, which knows the total. */
struct watch {
    struct progress progress;
    const char *command;
    bool started;
};

static int on_progress(void *context, double done, double total)
{
    struct watch *watch = context;

    if (!watch->started)
        progress_start(&watch->progress, watch->command, "updates of elements", (size_t)total, 0);
    watch->started = true;
    progress_show(&watch->progress, (size_t)done);
    return 0;
}

static double captured_elements(const struct study *study)
{
    double elements = 0.0;
    size_t i;

    for (i = 0; i < study->groups->n_tensors; i++)
        elements += (double)gtr_trace_n_elements(study->trace, i);
    return elements;
}

/* Less than the default (0) if that makes fewer batches than keep all ranks busy, but enough for a
 * whole piece.  An element takes two states for each policy, and up to 32 rows on their way, twice;
 * sums take a tenth of that at most. */
static size_t batch_memory(const struct study *study)
{
    size_t n_rows = gtr_trace_n_captures(study->trace);
    double each = 8.0 * (double)(study->n_settings + 1) + 8.0 * (double)(n_rows < 32 ? n_rows : 32);
    double share = captured_elements(study) * each / (4.0 * (double)ranks_size());
    double most = 256 << 20, least = 1.1 * 65536.0 * each;

    return ranks_size() == 1 || share >= most ? 0 : (size_t)(share > least ? share : least);
}

/* Chosen here, to be told.  An update runs on one GPU. */
static enum gtr_code choose_device(const struct update_found *found, struct gtr_device *chosen,
                                   struct gtr_err *err)
{
    const struct update_options *o = found->options;
    const struct study *study = found->study;
    double updates;
    enum gtr_code rc;

    updates = captured_elements(study) * (double)gtr_trace_n_captures(study->trace);
    rc = gtr_device_choose(&o->device, updates * (double)(study->n_settings + 1), chosen, err);
    if (chosen->number < 0)
        chosen->number = 0;
    if (rc == GTR_OK)
        cli_note_device(&o->common, chosen);
    return rc;
}

/* All ranks must work on the same: each node may have its own idea of a path. */
static enum gtr_code check_same(const struct update_found *found, struct gtr_err *err)
{
    const struct gtr_series *series = found->study->series;
    double energy = 0.0;
    char text[160];
    size_t t;

    for (t = 0; t < series->n_steps; t++)
        energy += series->total_sumsq[t];
    snprintf(text, sizeof text, "%zu steps, %zu captures, %zu groups, %a", series->n_steps,
             gtr_trace_n_captures(found->study->trace), series->n_groups, energy);
    if (ranks_same(text))
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE, "%s: is not the trace that rank 0 has read",
                    found->options->trace);
}

/* Batches are shared out among the ranks; rank 0 gets the update, the others none. */
static enum gtr_code simulate(struct update_found *found, struct gtr_err *err)
{
    const struct update_options *o = found->options;
    const struct study *study = found->study;
    struct watch watch = { .command = o->common.command };
    struct gtr_update_options options = { .optimizer = found->optimizer,
                                          .n_threads = o->common.n_threads,
                                          .memory = batch_memory(study),
                                          .progress = on_progress,
                                          .context = &watch,
                                          .part = (size_t)ranks_rank(),
                                          .n_parts = (size_t)ranks_size(),
                                          .exchange = ranks_exchange };
    enum gtr_code rc = ranks_agree(choose_device(found, &options.device, err), err);

    if (rc != GTR_OK)
        return rc;
    rc = gtr_update_run(study->trace, study->groups, study->replay,
                        (const struct gtr_decisions *const *)found->decisions, study->n_settings,
                        &options, &found->update, err);
    if (watch.started)
        progress_end(&watch.progress);
    if (rc != GTR_OK)
        ranks_give_up(rc, err);
    return rc;
}

/* Steps are numbered from 0 or 1; a run that was taken up again starts higher. */
static bool starts_with_the_run(const struct update_found *found)
{
    return found->update->complete && found->study->series->index[0] <= 1;
}

/* The steps that fill the moments, unless that leaves out too much of what there is. */
static size_t choose_warm_up(const struct update_found *found)
{
    double memory = update_memory(found);
    size_t tenth = found->n_rows / 10;

    if (found->options->warm_up >= 0)
        return (size_t)found->options->warm_up;
    if (found->from_start)
        return 0;
    return memory < (double)tenth ? (size_t)memory : tenth;
}

enum gtr_code update_found_make(struct update_found *found, const struct update_options *options,
                                const struct study *study, struct gtr_err *err)
{
    enum gtr_code rc;

    *found = (struct update_found){ .options = options,
                                    .study = study,
                                    .n_groups = study->series->n_groups,
                                    .n_rows = study->series->n_steps,
                                    .from_start = true };
    find_optimizer(found);
    rc = replay_all(found, err);
    if (rc == GTR_OK)
        rc = count_elements(found, err);
    rc = ranks_agree(rc, err);
    if (rc == GTR_OK)
        rc = ranks_agree(check_same(found, err), err);
    if (rc == GTR_OK && gtr_trace_n_captures(study->trace) > 0) {
        rc = simulate(found, err);
        if (rc == GTR_OK && found->update != NULL) {
            found->n_rows = found->update->n_rows;
            found->from_start = starts_with_the_run(found);
        }
    }
    found->n_warm_up = choose_warm_up(found);
    if (rc == GTR_OK && found->n_warm_up >= found->n_rows)
        rc = gtr_fail(err, GTR_EUSAGE, "--warm-up %zu: leaves none of the %zu steps",
                      found->n_warm_up, found->n_rows);
    return rc;
}

void update_found_free(struct update_found *found)
{
    size_t i;

    for (i = 0; found->decisions != NULL && i < found->study->n_settings; i++)
        gtr_decisions_free(found->decisions[i]);
    for (i = 0; found->rho != NULL && i < found->study->n_settings; i++)
        gtr_free(found->rho[i]);
    gtr_free(found->decisions);
    gtr_free(found->rho);
    gtr_free(found->numel);
    gtr_update_free(found->update);
    *found = (struct update_found){ 0 };
}

/* --- one place ----------------------------------------------------------------------------- */

size_t update_row(const struct update_found *found, size_t r)
{
    return found->update != NULL ? (size_t)found->update->row[r] : r;
}

static void group_place(const struct update_found *found, size_t policy, size_t group, size_t t,
                        struct update_place *place)
{
    size_t at = group * found->study->series->n_steps + t;

    place->scale = found->decisions[policy]->scale[at];
    place->clipped = place->scale < 1.0;
    place->raised = place->scale > 1.0;
    place->proxy = found->rho[policy][at];
    place->hinted = fabs(place->proxy - 1.0);
}

/* AdamW moves every element about as far, so groups weigh by their elements; SGD as far as the
 * gradient is large.  Logs that were imported do not know elements: groups weigh the same. */
static double weight_of(const struct update_found *found, size_t group, size_t t)
{
    const struct gtr_series *series = found->study->series;

    if (found->optimizer.id == GTR_SGD)
        return series->sumsq[group * series->n_steps + t];
    return found->numel[group] > 0.0 ? found->numel[group] : 1.0;
}

static void whole_place(const struct update_found *found, size_t policy, size_t t,
                        struct update_place *place)
{
    double squares = 0.0, weights = 0.0;
    bool clipped = false, raised = false;
    size_t g;

    for (g = 0; g < found->n_groups; g++) {
        double weight = weight_of(found, g, t);

        group_place(found, policy, g, t, place);
        clipped |= place->clipped;
        raised |= place->raised;
        if (isnan(place->hinted))
            continue;
        squares += weight * place->hinted * place->hinted;
        weights += weight;
    }
    place->scale = place->proxy = (double)NAN;
    place->clipped = clipped;
    place->raised = raised;
    place->hinted = sqrt(squares / weights);
}

void update_place_at(const struct update_found *found, size_t policy, size_t group, size_t r,
                     struct update_place *place)
{
    static const struct gtr_update_values unknown = {
        .norm = (double)NAN,
        .plain = (double)NAN,
        .change = (double)NAN,
        .cosine = (double)NAN,
        .error = { (double)NAN, (double)NAN, (double)NAN, (double)NAN },
    };
    size_t t = update_row(found, r);

    place->step = found->study->series->index[t];
    place->values = unknown;
    if (group == found->n_groups)
        whole_place(found, policy, t, place);
    else
        group_place(found, policy, group, t, place);
    if (found->update != NULL)
        gtr_update_values_at(found->update, policy, group, r, &place->values);
}
