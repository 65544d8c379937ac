/* simulate.c - the rows of a run that never was.
 *
 * The norms of groups come from simulate_norms.c.  A group's energy is divided among its tensors by
 * shares that are drawn anew at each step around fixed ones, so that each tensor has a noise of its
 * own and the group's norm is what it should be.  Then comes what is wrong with the recording.
 * Only exact arithmetic, gtr_ln and gtr_exp are used, in one order.
 */
#include "simulate.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "exact.h"
#include "random.h"
#include "simulate_private.h"
#include "trace.h"

struct process {
    const struct gtr_simulation *simulation;
    struct gtr_head head;
    struct gtr_groups *groups;
    struct gtr_plants plants;
    double *log_norm; /* [T][G] */
    double *weight;   /* [P] of the tensor in its group's energy; they need not add up to 1 */
    double *share;    /* [P] of the energy of the tensor's group, at one step */
    double *sum;      /* [G] of the weights at one step */
    double *peak;     /* [P] largest element, if the tensor's norm is 1 */
    struct gtr_random noise; /* of the shares */
    size_t *spell;           /* [experts] the expert's present spell or next one */
    double *sumsq;           /* [P], one row */
    float *maxabs;
    uint64_t *nonfinite;
    struct gtr_made_elements *elements; /* NULL: norms only */
};

enum gtr_code gtr_simulation_start(struct gtr_simulation *simulation,
                                   const struct gtr_scenario *scenario, struct gtr_err *err)
{
    enum gtr_code rc;

    memset(simulation, 0, sizeof *simulation);
    simulation->scenario = scenario;
    simulation->n_steps = GTR_SIMULATION_STEPS;
    simulation->seed = 1;
    simulation->elements_limit = GTR_SIMULATION_ELEMENTS_LIMIT;
    rc = gtr_layout_find(scenario->layout, &simulation->layout, err);
    return rc == GTR_OK ? gtr_scenario_start(scenario, &simulation->params, err) : rc;
}

static void draw(struct gtr_random *random, const struct process *process, size_t stream)
{
    gtr_random_init(random, (uint64_t)process->simulation->seed, stream);
}

/* --- tensors -------------------------------------------------------------------------------- */

/* The largest of m normal deviates is about sqrt(2 ln m). */
static double peak_of(uint64_t numel)
{
    double m = (double)numel;

    return numel > 1 ? sqrt(2.0 * gtr_ln(m) / m) : 1.0;
}

static void prepare_tensors(struct process *process)
{
    double uneven = process->simulation->params.uneven;
    struct gtr_random random;
    size_t i;

    draw(&random, process, GTR_STREAM_SHARES);
    for (i = 0; i < process->head.n_tensors; i++) {
        process->weight[i] = gtr_exp(2.0 * uneven * gtr_random_normal(&random));
        process->peak[i] = peak_of(process->head.tensors[i].numel);
    }
    draw(&process->noise, process, GTR_STREAM_TENSORS);
}

/* Each tensor's part of its group's energy at the next step. */
static void divide_energy(struct process *process)
{
    const struct gtr_groups *groups = process->groups;
    const struct gtr_scenario_params *params = &process->simulation->params;
    size_t i;

    memset(process->sum, 0, groups->n_groups * sizeof *process->sum);
    for (i = 0; i < groups->n_tensors; i++) {
        process->share[i] =
            process->weight[i] * gtr_exp(2.0 * params->own * gtr_random_normal(&process->noise));
        process->sum[groups->of_tensor[i]] += process->share[i];
    }
    for (i = 0; i < groups->n_tensors; i++)
        process->share[i] /= process->sum[groups->of_tensor[i]];
    /* On top of its group's norm, which the others of the group keep their parts of. */
    if (process->plants.faults.dominant < groups->n_tensors)
        process->share[process->plants.faults.dominant] *= params->dominant * params->dominant;
}

static bool is_idle(struct process *process, size_t expert, size_t t)
{
    const struct gtr_plants *plants = &process->plants;
    size_t *at;

    if (expert == plants->n_experts)
        return false;
    at = &process->spell[expert];
    while (*at < plants->n_spells && plants->spells[*at].expert == expert &&
           plants->spells[*at].last < t)
        ++*at;
    return *at < plants->n_spells && plants->spells[*at].expert == expert &&
           plants->spells[*at].first <= t;
}

static bool is_among(const size_t *steps, size_t n, size_t t)
{
    size_t i = 0;

    while (i < n && steps[i] != t)
        i++;
    return i < n;
}

/* What the run multiplied its gradient by, as torch.nn.utils.clip_grad_norm_ does; NaN if it clips
 * nothing. */
static double applied_scale(const struct process *process)
{
    double max_norm = process->simulation->params.max_norm, energy = 0.0, ratio;
    size_t i;

    for (i = 0; i < process->head.n_tensors; i++)
        energy += process->sumsq[i];
    ratio = max_norm / (sqrt(energy) + 1e-6);
    if (max_norm == 0.0)
        return (double)NAN;
    return ratio < 1.0 ? ratio : 1.0;
}

/* The gradient as the recording has it. */
static void record(struct process *process, double scale)
{
    double factor = gtr_faults_factor(&process->simulation->params);
    size_t i;

    if (process->simulation->params.clipped == 1.0 && !isnan(scale))
        factor *= scale;
    for (i = 0; i < process->head.n_tensors; i++) {
        process->sumsq[i] *= factor * factor; /* exact where the factor is 1 */
        process->maxabs[i] = (float)(sqrt(process->sumsq[i]) * process->peak[i]);
    }
}

/* A stale row keeps the norms that the last one left behind. */
static void fill_row(struct process *process, size_t t, struct gtr_step *step)
{
    const struct gtr_faults *faults = &process->plants.faults;
    const struct gtr_groups *groups = process->groups;
    const double *log_norm = process->log_norm + t * groups->n_groups;
    size_t i;

    for (i = 0; i < groups->n_tensors; i++) {
        double energy = gtr_exp(2.0 * log_norm[groups->of_tensor[i]]);

        if (is_idle(process, process->plants.of_tensor[i], t) || faults->silent[i] ||
            (faults->dying[i] && t >= faults->died_step))
            energy = 0.0;
        process->sumsq[i] = process->share[i] * energy;
        process->nonfinite[i] = 0;
    }
    if (is_among(faults->nonfinite, faults->n_nonfinite, t))
        process->nonfinite[faults->nan_tensor] = 1;
    step->applied_scale = applied_scale(process);
    step->skipped = is_among(faults->nonfinite, faults->n_nonfinite, t);
    if (step->skipped)
        step->applied_scale = (double)NAN;
    record(process, step->applied_scale);
}

/* The elements of a row, whose norms are then what they are after rounding. */
static enum gtr_code write_elements(struct process *process, struct gtr_writer *writer,
                                    struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && process->elements != NULL && i < process->head.n_tensors; i++) {
        struct gtr_reduction reduced;

        rc = gtr_made_elements_next(process->elements, i, process->sumsq[i], writer, &reduced, err);
        process->sumsq[i] = reduced.sumsq;
        process->maxabs[i] = reduced.maxabs;
        process->nonfinite[i] = reduced.nonfinite;
    }
    return rc;
}

/* --- the trace ------------------------------------------------------------------------------ */

/* A language model's: from ln 32000, not knowing anything, to 2, half of the way in a twentieth of
 * the run. */
static double loss_at(size_t t, int64_t n_steps, struct gtr_random *random)
{
    double half = 1.0 + (double)n_steps / 20.0;

    return 2.0 + 8.373 / (1.0 + (double)t / half) + 0.02 * gtr_random_normal(random);
}

static enum gtr_code write_rows(struct process *process, struct gtr_writer *writer,
                                struct gtr_err *err)
{
    struct gtr_step step = { .lr = 3e-4, .time = (double)NAN, .applied_scale = (double)NAN };
    int64_t n_steps = process->simulation->n_steps;
    enum gtr_code rc = GTR_OK;
    struct gtr_random random;
    size_t t;

    draw(&random, process, GTR_STREAM_LOSS);
    for (t = 0; rc == GTR_OK && t < (size_t)n_steps; t++) {
        const struct gtr_faults *faults = &process->plants.faults;

        step.index = (int64_t)t;
        step.loss = loss_at(t, n_steps, &random);
        divide_energy(process); /* also of a stale step, so that the next ones are as without it */
        if (!is_among(faults->stale, faults->n_stale, t))
            fill_row(process, t, &step);
        rc = write_elements(process, writer, err);
        if (rc == GTR_OK)
            rc = gtr_writer_append(writer, &step, process->sumsq, process->maxabs,
                                   process->nonfinite, NULL, err);
    }
    return rc;
}

static enum gtr_code make_head(struct process *process, struct gtr_err *err)
{
    const struct gtr_simulation *simulation = process->simulation;
    struct gtr_head *head = &process->head;
    enum gtr_code rc;

    rc = gtr_head_set(&head->producer, "gradtrace " GTR_VERSION " simulate: synthetic, not a run",
                      err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->grad_state, "pre-clip", err);
    head->total_steps = simulation->n_steps;
    if (simulation->params.ranks > 1.0) {
        head->world_size = (int64_t)simulation->params.ranks;
        if (rc == GTR_OK)
            rc = gtr_head_set(&head->reduction, "none", err);
    }
    if (rc == GTR_OK)
        rc = gtr_layout_add(simulation->layout, simulation->n_layers, head, err);
    if (rc == GTR_OK)
        rc = gtr_made_elements_new(simulation, head, &process->elements, err);
    if (rc == GTR_OK)
        rc = gtr_groups_new("module", head, &process->groups, err);
    if (rc == GTR_OK)
        rc = gtr_plants_init(&process->plants, simulation, head, process->groups, err);
    if (rc == GTR_OK)
        rc = gtr_truth_set(simulation, &process->plants, process->groups, head, err);
    return rc;
}

static enum gtr_code make_tables(struct process *process, struct gtr_err *err)
{
    size_t n_tensors = process->head.n_tensors, n_groups = process->groups->n_groups, i;
    size_t n_cells = (size_t)process->simulation->n_steps * n_groups;
    enum gtr_code rc;

    rc = gtr_alloc_for(&process->log_norm, n_cells, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->weight, n_tensors, sizeof(double), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->share, n_tensors, sizeof(double), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->sum, n_groups, sizeof(double), "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->peak, n_tensors, sizeof(double), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->sumsq, n_tensors, sizeof(double), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->maxabs, n_tensors, sizeof(float), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->nonfinite, n_tensors, sizeof(uint64_t), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&process->spell, process->plants.n_experts, sizeof(size_t), "experts",
                           err);
    if (rc != GTR_OK)
        return rc;
    for (i = process->plants.n_spells; i-- > 0;)
        process->spell[process->plants.spells[i].expert] = i;
    prepare_tensors(process);
    return gtr_norms_fill(process->simulation, &process->plants, n_groups, process->log_norm, err);
}

static void process_free(struct process *process)
{
    gtr_made_elements_free(process->elements);
    gtr_head_free(&process->head);
    gtr_groups_free(process->groups);
    gtr_plants_free(&process->plants);
    gtr_free(process->log_norm);
    gtr_free(process->weight);
    gtr_free(process->share);
    gtr_free(process->sum);
    gtr_free(process->peak);
    gtr_free(process->spell);
    gtr_free(process->sumsq);
    gtr_free(process->maxabs);
    gtr_free(process->nonfinite);
}

static enum gtr_code check_numbers(const struct gtr_simulation *simulation, struct gtr_err *err)
{
    if (simulation->n_steps < 1 || simulation->n_steps > GTR_SIMULATION_STEPS_MAX)
        return gtr_fail(err, GTR_EUSAGE, "%lld steps: must be from 1 to %d",
                        (long long)simulation->n_steps, GTR_SIMULATION_STEPS_MAX);
    if (simulation->n_layers < 1 || simulation->n_layers > GTR_SIMULATION_LAYERS_MAX)
        return gtr_fail(err, GTR_EUSAGE, "%lld layers: must be from 1 to %d",
                        (long long)simulation->n_layers, GTR_SIMULATION_LAYERS_MAX);
    if (simulation->seed < 0)
        return gtr_fail(err, GTR_EUSAGE, "seed %lld: must be at least 0",
                        (long long)simulation->seed);
    if (simulation->elements < GTR_ELEMENTS_NONE || simulation->elements > GTR_ELEMENTS_BLOCKS)
        return gtr_fail(err, GTR_EUSAGE, "elements %lld: must be from %d to %d",
                        (long long)simulation->elements, GTR_ELEMENTS_NONE, GTR_ELEMENTS_BLOCKS);
    if (simulation->elements != GTR_ELEMENTS_NONE &&
        (simulation->params.nonfinite > 0.0 || simulation->params.stale > 0.0))
        return gtr_fail(err, GTR_EUSAGE,
                        "elements: are made up for finite steps that differ; set "
                        "nonfinite=0 and stale=0");
    return GTR_OK;
}

enum gtr_code gtr_simulation_write(const struct gtr_simulation *asked, const char *path, bool force,
                                   struct gtr_err *err)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = force,
                                                .elements = asked->elements != GTR_ELEMENTS_NONE,
                                                .sampling = gtr_simulation_sample(asked) };
    struct gtr_simulation simulation = *asked;
    struct process process = { .simulation = &simulation };
    struct gtr_writer *writer = NULL;
    enum gtr_code rc;

    if (simulation.n_layers == 0)
        simulation.n_layers = simulation.layout->n_layers;
    rc = check_numbers(&simulation, err);
    if (rc == GTR_OK)
        rc = gtr_head_init(&process.head, err);
    if (rc != GTR_OK)
        return rc;
    rc = make_head(&process, err);
    if (rc == GTR_OK)
        rc = make_tables(&process, err);
    if (rc == GTR_OK)
        rc = gtr_writer_open(path, &process.head, &options, &writer, err);
    if (rc == GTR_OK)
        rc = write_rows(&process, writer, err);
    if (rc != GTR_OK)
        goto out;
    rc = gtr_writer_close(writer, err);
    writer = NULL;
out:
    gtr_writer_abandon(writer);
    process_free(&process);
    return rc;
}
