/* test_doctor_run.c - checks of the run on traces that were written for them, number by number.
 *
 * The noise is a hash of step and tensor, so that neighbours differ as those of batches do.
 */
#define _GNU_SOURCE
#include "doctor.h"

#include <stdlib.h>

#include "check.h"
#include "findings.h"
#include "gradtrace_lab.h"
#include "scratch.h"

enum { STEPS = 400, TENSORS = 4, AT = 200 };

/* What a step is; norms start as 1 times the noise, the loss as 4 falling to 2. */
struct made {
    size_t t;
    double norm[TENSORS];
    uint64_t bad[TENSORS];
    double loss, lr, applied;
};
typedef void fault(struct made *step);

/* In [-1, 1): bits of a hash (splitmix64). */
static double noise(size_t t, size_t tensor)
{
    uint64_t z = (uint64_t)(t * 16 + tensor + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1.0;
}

struct visit {
    struct gtr_trace *trace;
    struct gtr_groups *groups;
    struct gtr_series *series;
    struct gtr_replay *replay;
    struct gtr_finding *findings;
    size_t n_findings;
};

static void write_run(const char *path, size_t n_steps, enum gtr_dtype dtype, fault *plant)
{
    static const char *const names[TENSORS] = { "embed.weight", "a.weight", "b.weight", "head" };
    struct gtr_writer_options options;
    struct gtr_writer *writer;
    struct gtr_head head;
    size_t i;

    gtr_writer_options_init(&options);
    options.force = true;
    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    for (i = 0; i < TENSORS; i++)
        CHECK(gtr_head_add_tensor(&head, names[i], "10x10", 100, dtype, NULL) == GTR_OK);
    CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
    for (i = 0; i < n_steps; i++) {
        struct made step = { .t = i, .loss = 2.0 + 2.0 / (1.0 + 0.05 * (double)i), .lr = 0.1 };
        double sumsq[TENSORS];
        float maxabs[TENSORS];
        size_t k;

        step.applied = (double)NAN;
        step.loss += 0.02 * noise(i, 9);
        for (k = 0; k < TENSORS; k++)
            step.norm[k] = 1.0 + 0.2 * noise(i, k);
        plant(&step);
        for (k = 0; k < TENSORS; k++) {
            sumsq[k] = step.norm[k] * step.norm[k];
            maxabs[k] = (float)step.norm[k];
        }
        CHECK(gtr_writer_append(writer,
                                &(struct gtr_step){ .index = (int64_t)(10 * i),
                                                    .loss = step.loss,
                                                    .lr = step.lr,
                                                    .time = (double)NAN,
                                                    .applied_scale = step.applied },
                                sumsq, maxabs, step.bad, NULL, NULL) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    gtr_head_free(&head);
}

static struct visit visit_of(size_t n_steps, enum gtr_dtype dtype, double max_norm, fault *plant)
{
    const struct gtr_replay_options options = { .size = sizeof options, .keep_interval = 1 };
    const char *path = scratch_path("made.h5");
    struct visit v = { .n_findings = 0 };
    struct gtr_patient patient = { .max_norm = max_norm };

    write_run(path, n_steps, dtype, plant);
    CHECK(gtr_trace_open(path, &v.trace, NULL) == GTR_OK);
    CHECK(gtr_groups_new("tensor", gtr_trace_head(v.trace), &v.groups, NULL) == GTR_OK);
    CHECK(gtr_series_read(v.trace, v.groups, 1, &v.series, NULL) == GTR_OK);
    CHECK(gtr_replay_new(v.series, &options, &v.replay, NULL) == GTR_OK);
    patient.trace = v.trace;
    patient.groups = v.groups;
    patient.replay = v.replay;
    CHECK(gtr_doctor_run(&patient, &v.findings, &v.n_findings, NULL) == GTR_OK);
    return v;
}

static void visit_end(struct visit *v)
{
    gtr_free(v->findings);
    gtr_replay_free(v->replay);
    gtr_series_free(v->series);
    gtr_groups_free(v->groups);
    gtr_trace_close(v->trace);
}

static const struct gtr_finding *found(const struct visit *v, const char *code)
{
    return finding_of(v->findings, v->n_findings, GTR_OF_THE_RUN, code);
}

static bool is_told(const struct visit *v, const char *code)
{
    const struct gtr_finding *f = found(v, code);

    return f != NULL && f->severity > GTR_NOTE;
}

static void check_told(const struct visit *v, const char *wanted)
{
    char got[400];

    CHECK_TEXT(codes_of(v->findings, v->n_findings, GTR_OF_THE_RUN, NULL, got), wanted);
}

/* A run that was spoilt has these findings and no others. */
static struct visit spoilt(fault *plant, const char *codes)
{
    struct visit v = visit_of(STEPS, GTR_F32, 0.0, plant);

    check_told(&v, codes);
    return v;
}

/* --- nothing wrong ---------------------------------------------------------------------------- */

static void nothing(struct made *step)
{
    (void)step;
}

static void learn_something_new(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] *= step->t >= AT ? 3.0 : 1.0;
    step->loss *= step->t >= AT ? 0.7 : 1.0;
}

static void what_is_healthy_is_let_be(void)
{
    struct visit v = spoilt(nothing, "");

    visit_end(&v);
    /* The norm rises because the loss falls: worth a note, and no warning. */
    v = spoilt(learn_something_new, "level");
    CHECK(found(&v, "level")->severity == GTR_NOTE);
    visit_end(&v);
}

static void short_runs_are_said_not_to_be_checked(void)
{
    struct visit v = visit_of(20, GTR_F32, 0.0, nothing);

    check_told(&v, "");
    CHECK(found(&v, "spikes")->severity == GTR_NOT_MADE);
    CHECK_TEXT(found(&v, "spikes")->what, "needs 33 steps that count, and there are 20");
    CHECK(found(&v, "level")->severity == GTR_NOT_MADE);
    CHECK(found(&v, "first-steps")->severity == GTR_NOT_MADE);
    CHECK(found(&v, "sums")->severity == GTR_NOT_MADE);
    CHECK(found(&v, "nonfinite") == NULL);
    visit_end(&v);
}

static void have_no_loss(struct made *step)
{
    step->loss = (double)NAN;
}

static void have_a_loss_of_both_signs(struct made *step)
{
    step->loss = noise(step->t, 5) + (step->t > 350 ? 50.0 : 0.0);
}

static void a_loss_without_height_is_not_judged(void)
{
    struct visit v = spoilt(have_no_loss, "");

    CHECK_TEXT(found(&v, "divergence")->what, "the trace has no losses");
    visit_end(&v);
    v = spoilt(have_a_loss_of_both_signs, "");
    CHECK_TEXT(found(&v, "divergence")->what, "the loss is not positive throughout");
    visit_end(&v);
}

/* --- the first steps -------------------------------------------------------------------------- */

/* As in a recurrent network whose first updates are too large: norms to 8 times, loss to 8. */
static void explode_at_first(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] *= step->t >= 2 && step->t <= 7 ? 8.0 : 1.0;
    step->loss = step->t >= 2 && step->t <= 7 ? 8.0 : step->loss;
}

static void begin_far_too_high(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] *= step->t == 0 ? 500.0 : 1.0;
}

static void the_first_steps_count(void)
{
    struct visit v = spoilt(explode_at_first, "first-steps");
    const struct gtr_finding *f = found(&v, "first-steps");

    CHECK(f->severity == GTR_WARNING && f->n_all_steps == 6 && f->step[0] == 20);
    CHECK_HOLDS(f->what, "to 8 at step 20");
    visit_end(&v);
    v = spoilt(begin_far_too_high, "first-steps");
    CHECK_HOLDS(found(&v, "first-steps")->what, "as it is initialised");
    visit_end(&v);
}

/* --- the loss --------------------------------------------------------------------------------- */

static void diverge(struct made *step)
{
    step->loss += step->t >= AT ? 3.0 : 0.0;
    step->lr *= step->t >= AT ? 30.0 : 1.0;
}

static void end_without_a_number(struct made *step)
{
    step->loss = step->t >= AT ? (double)INFINITY : step->loss;
}

static void have_one_bad_batch(struct made *step)
{
    step->loss *= step->t == AT ? 5.0 : 1.0;
}

static void log_every_tenth_loss(struct made *step)
{
    step->loss = step->t % 10 == 0 ? step->loss : (double)NAN;
}

static void losses_are_told(void)
{
    struct visit v = spoilt(diverge, "divergence loss");
    const struct gtr_finding *f = found(&v, "divergence");

    CHECK(f->severity == GTR_SEVERE);
    CHECK_BITS(number_of(f, "from_step"), 10.0 * AT);
    CHECK_HOLDS(f->what, "The learning rate goes from 0.1 to 3 there");
    visit_end(&v);
    v = spoilt(end_without_a_number, "loss");
    f = found(&v, "loss");
    CHECK(f->severity == GTR_SEVERE);
    CHECK_BITS(number_of(f, "from_step"), 10.0 * AT);
    visit_end(&v);
    v = spoilt(have_one_bad_batch, "loss");
    f = found(&v, "loss");
    CHECK(f->severity == GTR_WARNING && f->n_all_steps == 1 && f->step[0] == 10 * AT);
    visit_end(&v);
    /* unknown is not NaN */
    v = spoilt(log_every_tenth_loss, "");
    visit_end(&v);
}

/* --- levels ----------------------------------------------------------------------------------- */

static void jump_down(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] /= step->t >= AT ? 5.0 : 1.0;
}

static void let_one_group_jump(struct made *step)
{
    step->norm[2] *= step->t >= AT ? 0.05 : 1.0;
}

static void double_the_loss_scale(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] *= step->t >= AT ? 2.0 : 1.0;
}

static void levels_are_told_where_they_change(void)
{
    struct visit v = spoilt(jump_down, "level");
    const struct gtr_finding *f = found(&v, "level");

    CHECK_BITS(number_of(f, "from_step"), 10.0 * AT);
    CHECK(f->group == TENSORS && number_of(f, "ratio") > 0.18 && number_of(f, "ratio") < 0.22);
    visit_end(&v);
    v = spoilt(let_one_group_jump, "level");
    f = found(&v, "level");
    CHECK(f->group == 2);
    CHECK_BITS(number_of(f, "from_step"), 10.0 * AT);
    visit_end(&v);
    v = spoilt(double_the_loss_scale, "loss-scale");
    f = found(&v, "loss-scale");
    CHECK_BITS(number_of(f, "log2_in_all"), 1.0);
    CHECK_HOLDS(f->advice, "scaler.unscale_");
    visit_end(&v);
}

/* --- tensors ---------------------------------------------------------------------------------- */

static void fade(struct made *step)
{
    step->norm[1] *= step->t >= AT ? 1e-3 : 1.0;
}

static void die(struct made *step)
{
    step->norm[1] = step->t >= AT ? 0.0 : step->norm[1];
}

static void vanish(struct made *step)
{
    step->norm[1] *= 1e-6;
}

static void tensors_that_fade_are_named(void)
{
    struct visit v = spoilt(fade, "level vanishing");

    CHECK_BITS(number_of(found(&v, "vanishing"), "from_step"), 10.0 * AT);
    CHECK_HOLDS(found(&v, "vanishing")->what, "a.weight");
    visit_end(&v);
    v = spoilt(die, "dead-group");
    CHECK_BITS(number_of(found(&v, "dead-group"), "from_step"), 10.0 * AT);
    CHECK_HOLDS(found(&v, "dead-group")->what, "a.weight");
    visit_end(&v);
    v = spoilt(vanish, "vanishing");
    CHECK_HOLDS(found(&v, "vanishing")->what, "a.weight");
    visit_end(&v);
}

static void be_nan_in_one(struct made *step)
{
    step->norm[3] *= step->t + 3 >= AT && step->t < AT ? 6.0 : 1.0;
    step->bad[2] = step->t >= AT ? 1 : 0;
    step->norm[2] = step->t >= AT ? 0.0 : step->norm[2];
}

static void nan_is_told_where_it_began(void)
{
    struct visit v = visit_of(STEPS, GTR_F32, 0.0, be_nan_in_one);
    const struct gtr_finding *f = found(&v, "nonfinite");

    CHECK(f->severity == GTR_SEVERE && !is_told(&v, "dead-group"));
    CHECK_HOLDS(f->what, "It began at step 2000 in b.weight, alone of 4 tensors.");
    CHECK_HOLDS(f->what, "the norm of head had grown most");
    CHECK(strstr(f->advice, "fp16") == NULL && strstr(f->advice, "ReLU") == NULL);
    visit_end(&v);
    v = visit_of(STEPS, GTR_F16, 0.0, be_nan_in_one);
    CHECK_HOLDS(found(&v, "nonfinite")->advice, "bf16 instead of fp16");
    visit_end(&v);
}

/* --- patterns --------------------------------------------------------------------------------- */

/* zero_grad forgotten: the sum of t + 1 gradients, which is smooth. */
static void pile_up(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] = 1.0 + (double)step->t + 0.05 * noise(step->t, k);
}

/* Zeroed at every fifth step only. */
static void pile_up_to_five(struct made *step)
{
    size_t k;

    for (k = 0; k < TENSORS; k++)
        step->norm[k] *= 1.0 + (double)(step->t % 5);
}

static void patterns_are_told(void)
{
    struct visit v = visit_of(STEPS, GTR_F32, 0.0, pile_up);

    CHECK(is_told(&v, "piles-up"));
    CHECK_HOLDS(found(&v, "piles-up")->advice, "zero_grad");
    visit_end(&v);
    v = spoilt(pile_up_to_five, "periodic");
    CHECK_BITS(number_of(found(&v, "periodic"), "period"), 5.0);
    visit_end(&v);
}

/* --- a limit that met other norms ------------------------------------------------------------- */

/* The limit of 1 met norms that still had a loss scale of 65536; those recorded are about 2. */
static void clip_scaled(struct made *step)
{
    double norm = 0.0;
    size_t k;

    for (k = 0; k < TENSORS; k++)
        norm += step->norm[k] * step->norm[k];
    step->applied = 1.0 / (65536.0 * sqrt(norm));
}

static void a_limit_on_scaled_gradients_is_told(void)
{
    struct visit v = visit_of(STEPS, GTR_F32, 1.0, clip_scaled);
    const struct gtr_finding *f = found(&v, "sums");

    CHECK(f->severity == GTR_SEVERE);
    CHECK_NEAR(number_of(f, "factor"), 1.0 / 65536.0, 1e-12);
    CHECK_HOLDS(f->advice, "scaler.unscale_(optimizer) before clip_grad_norm_");
    visit_end(&v);
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void every_threshold_is_of_a_check_and_codes_differ(void)
{
    const struct gtr_threshold *thresholds;
    size_t n, i, k;

    thresholds = gtr_thresholds(&n);
    for (i = 0; i < n; i++) {
        for (k = 0; k < gtr_checks_count(); k++)
            if (strcmp(gtr_check_at(k)->code, thresholds[i].code) == 0)
                break;
        CHECK(k < gtr_checks_count() && thresholds[i].what[0] != '\0');
    }
    for (i = 0; i < gtr_checks_count(); i++)
        for (k = 0; k < i; k++)
            CHECK(strcmp(gtr_check_at(i)->code, gtr_check_at(k)->code) != 0);
}

int main(void)
{
    RUN(what_is_healthy_is_let_be);
    RUN(short_runs_are_said_not_to_be_checked);
    RUN(a_loss_without_height_is_not_judged);
    RUN(the_first_steps_count);
    RUN(losses_are_told);
    RUN(levels_are_told_where_they_change);
    RUN(tensors_that_fade_are_named);
    RUN(nan_is_told_where_it_began);
    RUN(patterns_are_told);
    RUN(a_limit_on_scaled_gradients_is_told);
    RUN(every_threshold_is_of_a_check_and_codes_differ);
    return check_report();
}
