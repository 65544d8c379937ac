/* test_goals.c - limits and goals as people write them, and advice on rows made by hand. */
#include "advice.h"
#include "alloc.h"
#include "check.h"
#include "goals.h"
#include "sweep.h"

/* --- limits --- */

static void limits_say_what_they_say(void)
{
    struct gtr_limit limit;

    CHECK(gtr_limit_parse("clip_rate<0.1", &limit, NULL) == GTR_OK);
    CHECK(limit.objective == GTR_CLIP_RATE && !limit.above && limit.strict);
    CHECK_BITS(limit.value, 0.1);
    CHECK(gtr_limit_parse("saturation<=0", &limit, NULL) == GTR_OK);
    CHECK(limit.objective == GTR_SATURATION && !limit.above && !limit.strict && limit.value == 0.0);
    CHECK(gtr_limit_parse("scale_min > 1e-3", &limit, NULL) == GTR_OK);
    CHECK(limit.objective == GTR_SCALE_MIN && limit.above && limit.strict);
    CHECK(gtr_limit_parse("spill>=-2", &limit, NULL) == GTR_OK);
    CHECK(limit.objective == GTR_SPILL && limit.above && !limit.strict && limit.value == -2.0);
}

static void limits_that_are_wrong_are_told(void)
{
    static const struct {
        const char *text, *part;
    } wrong[] = {
        { "clip_rate", "one of < <= > >=" },
        { "clip_rate=0.1", "one of < <= > >=" },
        { "clip_rat<0.1", "did you mean clip_rate?" },
        { "<0.1", "an objective is missing" },
        { "loss<1", "must be one of clip_rate, raise_rate" },
        { "leak<", "is not a number" },
        { "leak<x", "x is not a number" },
        { "leak<0.1x", "0.1x is not a number" },
        { "leak<nan", "nan is not a number" },
        { "leak==1", "one of" },
    };
    struct gtr_limit limit;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(wrong); i++) {
        struct gtr_err err = { 0 };

        CHECK(gtr_limit_parse(wrong[i].text, &limit, &err) == GTR_EUSAGE);
        CHECK_HOLDS(err.text, wrong[i].text);
        CHECK_HOLDS(err.text, wrong[i].part);
    }
}

/* The message of an unknown name holds all names, however long the list. */
static void all_objectives_are_named(void)
{
    struct gtr_err err = { 0 };
    struct gtr_limit limit;
    size_t i;

    CHECK(gtr_limit_parse("x<1", &limit, &err) == GTR_EUSAGE);
    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++) {
        const char *name = gtr_objective_name((enum gtr_objective)i);

        CHECK_HOLDS(err.text, name);
        CHECK(gtr_objective_find(name) == (enum gtr_objective)i);
    }
    CHECK(gtr_objective_find("clip") == GTR_OBJECTIVE_COUNT);
    CHECK(gtr_objective_name(GTR_OBJECTIVE_COUNT) == NULL);
}

/* The edge, NaN and two limits at once. */
static void limits_keep_rows(void)
{
    double rows[4][GTR_OBJECTIVE_COUNT] = { { 0 } };
    struct gtr_limit limits[2];
    bool keep[4] = { false, true, true, true };

    rows[0][GTR_CLIP_RATE] = 0.05;
    rows[1][GTR_CLIP_RATE] = 0.1;
    rows[2][GTR_CLIP_RATE] = NAN;
    rows[3][GTR_LEAK] = 2.0;
    CHECK(gtr_limit_parse("clip_rate<0.1", &limits[0], NULL) == GTR_OK);
    CHECK(gtr_limit_parse("leak<=1", &limits[1], NULL) == GTR_OK);
    gtr_limits_apply(limits, 2, rows[0], 4, keep);
    CHECK(keep[0] && !keep[1] && !keep[2] && !keep[3]);
    CHECK(gtr_limit_parse("clip_rate>=0.1", &limits[0], NULL) == GTR_OK);
    gtr_limits_apply(limits, 1, rows[0], 4, keep);
    CHECK(!keep[0] && keep[1] && !keep[2] && !keep[3]);
    gtr_limits_apply(limits, 0, rows[0], 4, keep);
    CHECK(keep[0] && keep[1] && keep[2] && keep[3]);
}

/* --- goals --- */

static double value_of(const char *text, const double *row)
{
    struct gtr_goal goal;
    struct gtr_err err = { 0 };

    CHECK(gtr_goal_parse(text, &goal, &err) == GTR_OK);
    if (err.code != GTR_OK)
        printf("%s\n", err.text);
    return gtr_goal_value(&goal, row);
}

static void goals_are_weighted_sums(void)
{
    double row[GTR_OBJECTIVE_COUNT] = { 0 };

    row[GTR_VOLATILITY] = 0.5;
    row[GTR_LEAK] = 3.0;
    row[GTR_SCALE_MEAN] = 0.75;
    CHECK_BITS(value_of("volatility", row), 0.5);
    CHECK_BITS(value_of("volatility+2*leak", row), 6.5);
    CHECK_BITS(value_of(" 0.5 * leak + volatility ", row), 2.0);
    CHECK_BITS(value_of("-scale_mean", row), -0.75);
    CHECK_BITS(value_of("leak-4*scale_mean", row), 0.0);
    CHECK_BITS(value_of("1e+1*leak+1e-1*leak", row), 3.0 * (10.0 + 0.1));
    CHECK_BITS(value_of("leak+leak+leak+leak+leak+leak+leak+leak+leak+leak+leak+leak+leak", row),
               39.0);
    row[GTR_LEAK] = NAN;
    CHECK_BITS(value_of("volatility+0*leak", row), NAN);
    CHECK_BITS(value_of("volatility", row), 0.5);
}

static void goals_that_are_wrong_are_told(void)
{
    static const struct {
        const char *text, *part;
    } wrong[] = {
        { "", "an objective is missing" },         { "leak+", "an objective is missing" },
        { "+leak", "an objective is missing" },    { "2*", "an objective is missing" },
        { "2leak", "NUMBER*OBJECTIVE" },           { "2", "NUMBER*OBJECTIVE" },
        { "inf*leak", "NUMBER*OBJECTIVE" },        { "leek", "did you mean leak?" },
        { "leak*2", "there is no objective" },     { "leak++spill", "an objective is missing" },
        { "leak,spill", "there is no objective" },
    };
    struct gtr_goal goal;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(wrong); i++) {
        struct gtr_err err = { 0 };

        CHECK(gtr_goal_parse(wrong[i].text, &goal, &err) == GTR_EUSAGE);
        CHECK_HOLDS(err.text, wrong[i].part);
    }
}

/* --- advice --- */

enum { N = 7 };

/* leak and attenuation of six settings on an L and one that was not run. */
struct scene {
    double rows[N][GTR_OBJECTIVE_COUNT];
    struct gtr_goal goals[2];
};

static struct scene make_scene(void)
{
    static const double leak[N] = { 10, 4, 1, 1.25, 0, 1.5, NAN };
    static const double attenuation[N] = { 0, 0.5, 1, 1.25, 8, 1.125, 0 };
    struct scene scene = { .rows = { { 0 } } };
    size_t i;

    for (i = 0; i < N; i++) {
        scene.rows[i][GTR_LEAK] = leak[i];
        scene.rows[i][GTR_ATTENUATION] = attenuation[i];
        scene.rows[i][GTR_CLIP_RATE] = 0.25 * (double)i;
    }
    CHECK(gtr_goal_parse("leak", &scene.goals[0], NULL) == GTR_OK);
    CHECK(gtr_goal_parse("attenuation", &scene.goals[1], NULL) == GTR_OK);
    return scene;
}

static struct gtr_advice *advise(const struct scene *scene, const bool *keep)
{
    struct gtr_advice *advice = NULL;

    CHECK(gtr_advice_new(scene->goals, 2, scene->rows[0], N, keep, &advice, NULL) == GTR_OK);
    return advice;
}

/* Front by leak: 4 (0, 8), 2 (1, 1), 1 (4, 0.5), 0 (10, 0). */
static void advice_gives_its_reasons(void)
{
    struct scene scene = make_scene();
    struct gtr_advice *advice = NULL;

    advice = advise(&scene, NULL);
    CHECK(advice->n_front == 4 && advice->knee == 2);
    CHECK(advice->before == 4 && advice->after == 1);
    CHECK(advice->n_counted == 6);
    gtr_advice_free(advice);
}

/* Settings that are equal to the knee are not its neighbours, and an end has one neighbour. */
static void neighbours_differ_from_the_knee(void)
{
    struct scene scene = make_scene();
    struct gtr_advice *advice = NULL;
    bool keep[N] = { false, true, true, true, false, true, true };

    scene.rows[3][GTR_LEAK] = scene.rows[3][GTR_ATTENUATION] = 1.0;
    advice = advise(&scene, keep);
    /* 2 and 3 at (1, 1) and 1 at (4, 0.5): the two ends tie at a sum of 1, and 1 is the lower. */
    CHECK(advice->n_front == 3 && advice->knee == 1);
    CHECK(advice->before == 3 && advice->after == GTR_NO_ROW);
    gtr_advice_free(advice);
    keep[0] = keep[4] = true;
    advice = advise(&scene, keep);
    CHECK(advice->knee == 2 && advice->before == 4 && advice->after == 1);
    gtr_advice_free(advice);
}

static void nothing_kept_is_no_advice(void)
{
    struct scene scene = make_scene();
    struct gtr_advice *advice = NULL;
    const bool keep[N] = { false, false, false, false, false, false, true };

    advice = advise(&scene, keep);
    CHECK(advice->knee == GTR_NO_ROW && advice->n_front == 0 && advice->n_counted == 0);
    gtr_advice_free(advice);
}

static void no_memory_is_told_and_leaks_nothing(void)
{
    struct scene scene = make_scene();
    struct gtr_advice *advice = NULL;
    enum gtr_code rc = GTR_ENOMEM;
    size_t n;

    for (n = 1; rc == GTR_ENOMEM && n < 100; n++) {
        gtr_alloc_fail_after(n);
        rc = gtr_advice_new(scene.goals, 2, scene.rows[0], N, NULL, &advice, NULL);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || advice == NULL);
    }
    CHECK(rc == GTR_OK && n == 7); /* six allocations: the sixth failed last */
    gtr_advice_free(advice);
}

int main(void)
{
    RUN(limits_say_what_they_say);
    RUN(limits_that_are_wrong_are_told);
    RUN(all_objectives_are_named);
    RUN(limits_keep_rows);
    RUN(goals_are_weighted_sums);
    RUN(goals_that_are_wrong_are_told);
    RUN(advice_gives_its_reasons);
    RUN(neighbours_differ_from_the_knee);
    RUN(nothing_kept_is_no_advice);
    RUN(no_memory_is_told_and_leaks_nothing);
    return check_report();
}
