/* test_doctor.c - each check finds its pathology where it was planted, and nothing where nothing
 * was. */
#define _GNU_SOURCE
#include "doctor.h"
#include "findings.h"
#include "simulating.h"

enum { SEEDS = 5, HEALTHY_SEEDS = 20, MOST = 8 };

/* A run under examination, with what was found. */
struct visit {
    struct run run;
    struct gtr_replay *replay;
    struct gtr_setting *settings[MOST];
    size_t n_settings, n_findings;
    struct gtr_finding *findings;
};

static double run_limit(const struct run *run)
{
    struct json_object *value;

    return json_object_object_get_ex(run->meta, "max_grad_norm", &value)
               ? json_object_get_double(value)
               : 0.0;
}

static struct gtr_patient patient_of(const struct visit *v)
{
    return (struct gtr_patient){ .trace = v->run.trace,
                                 .groups = v->run.groups,
                                 .replay = v->replay,
                                 .max_norm = run_limit(&v->run),
                                 .beta2 = 0.999,
                                 .n_policies = v->n_settings,
                                 .settings = (const struct gtr_setting *const *)v->settings };
}

static void examine(struct visit *v, enum gtr_nonfinite_rule rule)
{
    const struct gtr_replay_options o = { .size = sizeof o, .keep_interval = 1, .nonfinite = rule };
    struct gtr_patient patient;

    gtr_replay_free(v->replay);
    gtr_free(v->findings);
    CHECK(gtr_replay_new(v->run.series, &o, &v->replay, NULL) == GTR_OK);
    patient = patient_of(v);
    CHECK(gtr_doctor_run(&patient, &v->findings, &v->n_findings, NULL) == GTR_OK);
}

/* `policies`: texts divided by spaces. */
static struct visit visit_of(const char *scenario, const char *settings, int64_t seed,
                             enum gtr_nonfinite_rule rule, const char *policies)
{
    struct gtr_simulation simulation = asked(scenario, settings);
    char *copy = strdup(policies), *save = NULL, *text;
    struct visit v = { .n_settings = 0 };

    simulation.seed = seed;
    v.run = run_of(&simulation, NULL);
    for (text = strtok_r(copy, " ", &save); text != NULL; text = strtok_r(NULL, " ", &save))
        CHECK(gtr_setting_parse(text, &v.settings[v.n_settings++], NULL) == GTR_OK);
    examine(&v, rule);
    free(copy);
    return v;
}

static void visit_end(struct visit *v)
{
    size_t i;

    gtr_free(v->findings);
    for (i = 0; i < v->n_settings; i++)
        gtr_setting_free(v->settings[i]);
    gtr_replay_free(v->replay);
    run_close(&v->run);
}

static const struct gtr_finding *found(const struct visit *v, int64_t policy, const char *code)
{
    return finding_of(v->findings, v->n_findings, policy, code);
}

/* Exactly these codes of one policy (or the run), in this order; the noise may have spikes too. */
static void check_codes(const struct visit *v, int64_t policy, const char *wanted)
{
    const char *without = strstr(wanted, "spikes") == NULL ? "spikes" : NULL;
    char got[400];

    CHECK_TEXT(codes_of(v->findings, v->n_findings, policy, without, got), wanted);
}

static struct visit plain_visit(const char *scenario, const char *settings, int64_t seed)
{
    return visit_of(scenario, settings, seed, GTR_SKIP_STEP, "");
}

/* --- silence -------------------------------------------------------------------------------- */

/* Noise that surges has spikes of its own; at most one in 20 such runs has anything else. */
static void a_healthy_run_is_silent(void)
{
    size_t n_wrong = 0, i;

    for (int64_t seed = 1; seed <= HEALTHY_SEEDS; seed++) {
        struct visit v = visit_of("healthy", "max_norm=1.5,surge=0", seed, GTR_SKIP_STEP,
                                  "group:quantile=0.99 aggc-paper global:max_norm=1.5 none");

        for (i = 0; i < v.n_findings; i++)
            CHECK(v.findings[i].severity == GTR_NOT_MADE);
        visit_end(&v);
        v = visit_of("healthy", NULL, seed, GTR_SKIP_STEP, "group:quantile=0.99 aggc-paper none");
        for (i = 0; i < v.n_findings; i++)
            n_wrong += v.findings[i].severity != GTR_NOT_MADE &&
                       &v.findings[i] != found(&v, GTR_OF_THE_RUN, "spikes");
        visit_end(&v);
    }
    CHECK(n_wrong <= HEALTHY_SEEDS / 20);
}

static void runs_that_change_together_have_no_spikes(void)
{
    static const char *const together[] = { "drift", "moe" };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(together); i++) {
        struct visit v = plain_visit(together[i], "surge=0", 1);

        check_codes(&v, GTR_OF_THE_RUN, "");
        visit_end(&v);
    }
}

/* Each expert is a group here, and some are idle when the run ends. */
static void idle_experts_are_not_dead(void)
{
    static const int64_t ends_idle[] = { 3, 6, 8 };
    struct gtr_simulation simulation = asked("moe", NULL);
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(ends_idle); i++) {
        struct visit v = { .n_settings = 0 };

        simulation.seed = ends_idle[i];
        v.run = run_of(&simulation, "tensor");
        examine(&v, GTR_SKIP_STEP);
        CHECK(found(&v, GTR_OF_THE_RUN, "dead-group") == NULL);
        visit_end(&v);
    }
}

/* --- the run -------------------------------------------------------------------------------- */

static void each_scenario_has_its_own_finding(void)
{
    static const struct {
        const char *scenario, *codes;
    } known[] = {
        { "culprit", "spikes" },  { "partners", "spikes" },          { "bursts", "spikes" },
        { "heavy", "spikes" },    { "dominant", "dominant-tensor" }, { "post-clip", "post-clip" },
        { "loss-scale", "sums" }, { "shards", "sums unreduced" },    { "nonfinite", "nonfinite" },
        { "stale", "stale" },
    };
    int64_t seed;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(known); i++)
        for (seed = 1; seed <= SEEDS; seed++) {
            struct visit v = plain_visit(known[i].scenario, NULL, seed);

            check_codes(&v, GTR_OF_THE_RUN, known[i].codes);
            visit_end(&v);
        }
}

/* All groups jump together to four times: that may be a loss scale, if they do so exactly; a
 * hundred times is none, and a drift by a million is a change of level as well. */
static void changes_of_level_are_told(void)
{
    struct visit v = plain_visit("regime", NULL, 1);
    const struct gtr_finding *f = found(&v, GTR_OF_THE_RUN, "level");

    CHECK((f != NULL) != (found(&v, GTR_OF_THE_RUN, "loss-scale") != NULL));
    visit_end(&v);
    v = plain_visit("regime", "change=100", 1);
    f = found(&v, GTR_OF_THE_RUN, "level");
    CHECK_BITS(number_of(f, "from_step"), 750.0);
    CHECK(number_of(f, "ratio") > 70.0 && number_of(f, "ratio") < 140.0);
    visit_end(&v);
    v = plain_visit("drift", "drift=1e6", 1);
    check_codes(&v, GTR_OF_THE_RUN, "level");
    CHECK(number_of(found(&v, GTR_OF_THE_RUN, "level"), "ratio") > 100.0);
    visit_end(&v);
    v = plain_visit("drift", "drift=1e-6", 1);
    check_codes(&v, GTR_OF_THE_RUN, "level");
    visit_end(&v);
}

static double tensors_of(const struct visit *v, size_t group)
{
    size_t n = 0, i;

    for (i = 0; i < v->run.groups->n_tensors; i++)
        n += v->run.groups->of_tensor[i] == group ? 1 : 0;
    return (double)n;
}

static void the_dead_are_found(void)
{
    int64_t seed;

    for (seed = 1; seed <= SEEDS; seed++) {
        struct visit v = plain_visit("dead", NULL, seed);
        const struct gtr_finding *dead = found(&v, GTR_OF_THE_RUN, "no-gradient");
        const struct gtr_finding *died = found(&v, GTR_OF_THE_RUN, "dead-group");

        CHECK_BITS(number_of(dead, "tensors"), 2.0);
        CHECK_BITS(number_of(died, "from_step"), 900.0);
        CHECK_BITS(number_of(died, "tensors"), tensors_of(&v, died->group));
        visit_end(&v);
    }
}

/* One group has NaN from the middle on: neither it nor the others, whose norms go on, lost their
 * gradient. */
static void nan_is_not_zero(void)
{
    struct visit v = plain_visit("healthy", NULL, 1);
    struct gtr_series *s = v.run.series;
    size_t t;

    s->group_nonfinite = gtr_alloc(s->n_groups * s->n_steps, 1);
    for (t = s->n_steps / 2; t < s->n_steps; t++, s->n_nonfinite++) {
        s->nonfinite[t] = s->group_nonfinite[t] = 1;
        s->sumsq[t] = 0.0; /* over finite elements, of which there are none */
    }
    examine(&v, GTR_SKIP_STEP);
    CHECK(found(&v, GTR_OF_THE_RUN, "nonfinite") != NULL);
    CHECK(found(&v, GTR_OF_THE_RUN, "dead-group") == NULL);
    visit_end(&v);
}

static void findings_name_what_was_planted(void)
{
    struct visit v = plain_visit("culprit", "surge=0", 1);
    const struct gtr_finding *f = found(&v, GTR_OF_THE_RUN, "spikes");
    struct json_object *name = NULL;

    CHECK(json_object_object_get_ex(v.run.truth, "culprit", &name));
    CHECK_TEXT(v.run.series->names[f->group], json_object_get_string(name));
    CHECK(f->n_all_steps == 12 && f->n_steps == GTR_FINDING_STEPS && f->ranked);
    visit_end(&v);
    v = plain_visit("dominant", NULL, 1);
    f = found(&v, GTR_OF_THE_RUN, "dominant-tensor");
    CHECK(json_object_object_get_ex(v.run.truth, "dominant", &name));
    CHECK_HOLDS(f->what, json_object_get_string(name));
    visit_end(&v);

    v = plain_visit("stale", NULL, 1);
    f = found(&v, GTR_OF_THE_RUN, "stale");
    CHECK(json_object_object_get_ex(v.run.truth, "stale", &name));
    CHECK(f->n_all_steps == 40 && !f->ranked);
    CHECK(f->step[0] == json_object_get_int64(json_object_array_get_idx(name, 0)));
    visit_end(&v);
}

static void factors_are_told_from_each_other(void)
{
    struct visit v = plain_visit("loss-scale", NULL, 1);

    CHECK_HOLDS(found(&v, GTR_OF_THE_RUN, "sums")->what, "65536 times");
    CHECK_HOLDS(found(&v, GTR_OF_THE_RUN, "sums")->what, "a power of two");
    visit_end(&v);
    v = plain_visit("loss-scale", "left_in=3", 1);
    CHECK_HOLDS(found(&v, GTR_OF_THE_RUN, "sums")->what, "always the same");
    CHECK_NEAR(number_of(found(&v, GTR_OF_THE_RUN, "sums"), "factor"), 3.0, 1e-4);
    visit_end(&v);
    v = plain_visit("shards", "ranks=64", 1);
    CHECK_HOLDS(found(&v, GTR_OF_THE_RUN, "sums")->what, "one rank's shard");
    visit_end(&v);
    /* DDP before the all-reduce, if gradients are mostly noise: 1 / sqrt(8) times 8 */
    v = plain_visit("shards", "left_in=8", 1);
    CHECK_HOLDS(found(&v, GTR_OF_THE_RUN, "sums")->what, "before they were averaged");
    visit_end(&v);
    /* within a percent there is nothing to tell */
    v = plain_visit("loss-scale", "left_in=1.005", 1);
    check_codes(&v, GTR_OF_THE_RUN, "");
    visit_end(&v);
}

/* A pile at the largest norm needs no meta to be seen. */
static void clipped_norms_are_seen_without_being_told(void)
{
    struct visit v = plain_visit("post-clip", "max_norm=1.1", 2);
    const struct gtr_finding *f = found(&v, GTR_OF_THE_RUN, "post-clip");

    CHECK(f != NULL && f->severity == GTR_SEVERE);
    CHECK_NEAR(number_of(f, "largest"), 1.1, 1e-5);
    visit_end(&v);
}

/* --- settings ------------------------------------------------------------------------------- */

static void the_published_setting_scales_everything_by_its_cap(void)
{
    static const char *const scenarios[] = { "healthy", "culprit" };
    int64_t seed;

    for (seed = 1; seed <= SEEDS; seed++) {
        struct visit v = visit_of(scenarios[seed % 2], NULL, seed, GTR_SKIP_STEP, "aggc-code-lora");
        const struct gtr_finding *cap = found(&v, 0, "stuck-at-cap");
        const struct gtr_finding *spike = found(&v, 0, "spike-passes");

        check_codes(&v, 0, "stuck-at-cap spike-passes cancelled empty-interval");
        CHECK_BITS(number_of(cap, "cap"), 0.9);
        CHECK(number_of(cap, "share_at_cap") > 0.95);
        CHECK_BITS(number_of(spike, "scale_of_spike"), 0.9);
        CHECK_BITS(number_of(spike, "scale_of_ordinary"), 0.9);
        CHECK(number_of(found(&v, 0, "cancelled"), "update_change") < 0.02);
        visit_end(&v);
    }
}

static void each_bad_setting_has_its_own_finding(void)
{
    static const struct {
        const char *policy, *codes;
    } known[] = {
        { "global:max_norm=100", "never-reached" },
        { "global:max_norm=0.3", "always-reached" },
        { "group:quantile=0.02", "always-reached" },
        { "aggc:form=code,high=0.6,raise=off", "ema-collapse" },
        { "aggc:form=code,high=2,raise=off,low=0.1", "cold-start" },
        { "aggc-paper:low=0.01,init=zero", "cold-start" },
        { "aggc:form=paper,low=0.98,high=3,raise=on", "raises-much" },
        { "aggc-code-grpo", "empty-interval" },
        { "aggc:beta=0.3,form=paper,high=2,low=0.1", "spike-passes" },
    };
    int64_t seed;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(known); i++)
        for (seed = 1; seed <= SEEDS; seed++) {
            struct visit v = visit_of("healthy", NULL, seed, GTR_SKIP_STEP, known[i].policy);

            if (found(&v, 0, known[i].codes) == NULL)
                printf("    %s, seed %lld\n", known[i].policy, (long long)seed);
            CHECK(found(&v, 0, known[i].codes) != NULL);
            check_codes(&v, GTR_OF_THE_RUN, "");
            visit_end(&v);
        }
}

static void spill_over_is_blamed_on_the_culprit(void)
{
    int64_t seed;

    for (seed = 1; seed <= SEEDS; seed++) {
        struct visit v = visit_of("culprit", NULL, seed, GTR_SKIP_STEP,
                                  "global:max_norm=1.5 group:quantile=0.99");
        const struct gtr_finding *f = found(&v, 0, "spill-over");
        struct json_object *name = NULL;

        CHECK(json_object_object_get_ex(v.run.truth, "culprit", &name));
        CHECK(f != NULL && number_of(f, "spill_share") > 0.5);
        CHECK_TEXT(f != NULL ? v.run.series->names[f->group] : "", json_object_get_string(name));
        check_codes(&v, 1, "");
        visit_end(&v);
    }
}

/* All rise together: a global limit is fair then. */
static void bursts_of_all_are_nobodys_fault(void)
{
    struct visit v = visit_of("drift", NULL, 1, GTR_SKIP_STEP, "global:max_norm=0.9");

    CHECK(found(&v, 0, "spill-over") == NULL);
    visit_end(&v);
}

static void poison_is_seen_where_it_is_let_in(void)
{
    static const char policies[] = "aggc-paper aggc-code-lora global:max_norm=1";
    struct visit v = visit_of("nonfinite", NULL, 1, GTR_PROPAGATE, policies);
    struct json_object *list = NULL;

    CHECK(json_object_object_get_ex(v.run.truth, "nonfinite", &list));
    CHECK(found(&v, 0, "poisoned") != NULL && found(&v, 1, "poisoned") != NULL);
    CHECK_BITS(number_of(found(&v, 0, "poisoned"), "from_step"),
               json_object_get_double(json_object_array_get_idx(list, 0)));
    CHECK_BITS(number_of(found(&v, 2, "poisoned"), "nan_scales"), 5.0);
    CHECK(found(&v, 0, "ema-collapse") == NULL); /* it is the NaN's doing */
    visit_end(&v);
    v = visit_of("nonfinite", NULL, 1, GTR_SKIP_STEP, policies);
    CHECK(found(&v, 0, "poisoned") == NULL && found(&v, 2, "poisoned") == NULL);
    visit_end(&v);
}

/* --- by hand, and the rest -------------------------------------------------------------------- */

/* The norms of one group through import's back door: a series of 60 ones with something in it,
 * which the exam sees beside a trace that it takes no norms of groups from. */
static void spikes_by_hand(void)
{
    struct visit v = plain_visit("healthy", "surge=0", 1);
    const struct gtr_finding *f;
    size_t t;

    for (t = 0; t < v.run.series->n_steps; t++) {
        double norm = t == 40 ? 2.9 : t == 50 ? 3.5 : t == 20 ? 9.0 : t >= 1000 ? 8.0 : 1.0;

        v.run.series->sumsq[t] = norm * norm;
    }
    examine(&v, GTR_SKIP_STEP);
    /* 20: only 20 norms before it; 40: less than three times; 50: that; 1000: a new level */
    f = found(&v, GTR_OF_THE_RUN, "spikes");
    CHECK(f != NULL && f->n_all_steps == 1 && f->step[0] == 50 && f->severity == GTR_NOTE);
    CHECK_NEAR(number_of(f, "culprit_ratio"), 3.5, 1e-12);
    f = found(&v, GTR_OF_THE_RUN, "level");
    CHECK_BITS(number_of(f, "from_step"), 1000.0);
    CHECK_NEAR(number_of(f, "ratio"), 8.0, 1e-12);
    visit_end(&v);
}

static void only_what_is_wanted_is_told(void)
{
    struct visit v = visit_of("shards", NULL, 1, GTR_SKIP_STEP, "aggc-code-lora");
    struct gtr_patient patient = patient_of(&v);
    bool *wanted = calloc(gtr_checks_count(), sizeof *wanted);
    struct gtr_finding *findings;
    size_t n, i;

    for (i = 0; i < gtr_checks_count(); i++)
        wanted[i] = strcmp(gtr_check_at(i)->code, "unreduced") == 0;
    patient.wanted = wanted;
    CHECK(gtr_doctor_run(&patient, &findings, &n, NULL) == GTR_OK);
    CHECK(n == 1 && findings[0].severity == GTR_WARNING);
    CHECK(v.n_findings > 3);
    free(wanted);
    gtr_free(findings);
    visit_end(&v);
}

static void the_most_severe_comes_first(void)
{
    struct visit v = visit_of("shards", NULL, 1, GTR_SKIP_STEP, "aggc-code-grpo aggc-code-lora");
    size_t i;

    for (i = 1; i < v.n_findings; i++) {
        CHECK(v.findings[i].policy >= v.findings[i - 1].policy);
        if (v.findings[i].policy == v.findings[i - 1].policy)
            CHECK(v.findings[i].severity <= v.findings[i - 1].severity);
    }
    visit_end(&v);
}

static void no_memory_is_an_error(void)
{
    struct visit v = visit_of("shards", NULL, 1, GTR_SKIP_STEP, "aggc-code-lora global:max_norm=1");
    struct gtr_patient patient = patient_of(&v);
    struct gtr_finding *findings = NULL;
    enum gtr_code rc = GTR_ENOMEM;
    size_t n, k;

    for (k = 1; rc != GTR_OK && k < 2000; k++) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(k);
        rc = gtr_doctor_run(&patient, &findings, &n, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || (rc == GTR_ENOMEM && findings == NULL));
    }
    CHECK(rc == GTR_OK && k > 20);
    gtr_free(findings);
    visit_end(&v);
}

int main(void)
{
    RUN(a_healthy_run_is_silent);
    RUN(runs_that_change_together_have_no_spikes);
    RUN(idle_experts_are_not_dead);
    RUN(each_scenario_has_its_own_finding);
    RUN(changes_of_level_are_told);
    RUN(the_dead_are_found);
    RUN(nan_is_not_zero);
    RUN(findings_name_what_was_planted);
    RUN(factors_are_told_from_each_other);
    RUN(clipped_norms_are_seen_without_being_told);
    RUN(the_published_setting_scales_everything_by_its_cap);
    RUN(each_bad_setting_has_its_own_finding);
    RUN(spill_over_is_blamed_on_the_culprit);
    RUN(bursts_of_all_are_nobodys_fault);
    RUN(poison_is_seen_where_it_is_let_in);
    RUN(spikes_by_hand);
    RUN(only_what_is_wanted_is_told);
    RUN(the_most_severe_comes_first);
    RUN(no_memory_is_an_error);
    return check_report();
}
