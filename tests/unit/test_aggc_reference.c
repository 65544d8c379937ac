/* test_aggc_reference.c - aggc against a second writing of it, and against the published code.
 *
 * The second writing is the pseudo-code, line by line, with max and min as functions, a record of
 * every step kept in an array, and none of policy_aggc.h's structure.  The logs were written by
 * the reference implementation while it clipped real runs; see tests/golden/aggc.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "gradtrace_lab.h"

static const char *golden = "tests/golden/aggc";

/* --- the pseudo-code -------------------------------------------------------------------------- */

struct slow_settings {
    double beta, low, high, low_late, high_late, switch_at, transition, min_norm;
    int raise;
    double max_up, max_down;
    long total_steps;
};

struct slow_step {
    double n, lower, upper, s, ema_after;
};

static double larger(double a, double b)
{
    return b > a ? b : a;
}

static double smaller(double a, double b)
{
    return b < a ? b : a;
}

static double slow_multiplier(const struct slow_settings *p, double base, double late, long t)
{
    double prog = smaller(larger((double)t / larger(1.0, (double)p->total_steps), 0.0), 1.0), a;

    if (late <= 0.0)
        late = base;
    if (p->total_steps == 0 || prog <= p->switch_at)
        return base;
    if (prog >= p->switch_at + p->transition)
        return late;
    a = (prog - p->switch_at) / larger(1e-6, p->transition);
    return base * (1.0 - a) + late * a;
}

static void slow_aggc(const struct slow_settings *p, struct slow_step *steps, long n_steps)
{
    long t;

    for (t = 0; t < n_steps; t++) {
        double ema = t == 0 ? 0.0 : steps[t - 1].ema_after;
        double n = steps[t].n, s;
        double lower = larger(p->min_norm, ema * slow_multiplier(p, p->low, p->low_late, t));
        double upper = larger(0.0, ema * slow_multiplier(p, p->high, p->high_late, t));

        if (upper > 0.0 && n > upper + 1e-12) {
            s = upper / (n + 1e-12);
            if (p->max_down > 0.0)
                s = larger(s, p->max_down);
        } else if (p->raise && lower > 0.0 && n < lower - 1e-12) {
            s = n > 0.0 ? lower / (n + 1e-12) : 1.0;
            if (p->max_up > 0.0)
                s = smaller(s, p->max_up);
        } else {
            s = 1.0;
        }
        steps[t].lower = lower;
        steps[t].upper = upper;
        steps[t].s = s;
        steps[t].ema_after = p->beta * ema + (1.0 - p->beta) * (n * s);
    }
}

/* --- the same through the library ------------------------------------------------------------- */

struct lane {
    double *sumsq, *total, *progress, *lower, *upper, *scale;
    uint8_t *skip;
    size_t n;
};

static void lane_init(struct lane *lane, size_t n)
{
    lane->n = n;
    lane->sumsq = calloc(n, sizeof(double));
    lane->total = calloc(n, sizeof(double));
    lane->progress = calloc(n, sizeof(double));
    lane->lower = calloc(n, sizeof(double));
    lane->upper = calloc(n, sizeof(double));
    lane->scale = calloc(n, sizeof(double));
    lane->skip = calloc(n, 1);
}

static void lane_free(struct lane *lane)
{
    free(lane->sumsq);
    free(lane->total);
    free(lane->progress);
    free(lane->lower);
    free(lane->upper);
    free(lane->scale);
    free(lane->skip);
}

/* Step t of total_steps.  The root of n * n, rounded, is n again: in binary the square root takes
 * back what the square rounded. */
static void lane_set(struct lane *lane, size_t t, double norm, size_t total_steps)
{
    lane->sumsq[t] = norm * norm;
    lane->progress[t] = total_steps > 0 ? (double)t / (double)total_steps : 0.0;
}

static void lane_run(struct lane *lane, const char *text)
{
    static const char *const group[] = { "any" };
    const struct gtr_lane_input in = { .sumsq = lane->sumsq,
                                       .total = lane->total,
                                       .progress = lane->progress,
                                       .skip = lane->skip,
                                       .n_steps = lane->n };
    const struct gtr_lane_output out = { lane->lower, lane->upper, lane->scale, NULL };
    struct gtr_setting *setting;
    union gtr_params params[1];
    struct gtr_err err = { 0 };

    gtr_setting_parse(text, &setting, &err);
    if (setting != NULL)
        gtr_setting_bind(setting, group, 1, params, &err);
    CHECK_TEXT(err.text, "");
    if (err.code == GTR_OK)
        gtr_lane_run(gtr_setting_policy(setting), params, &in, &out);
    gtr_setting_free(setting);
}

static unsigned long long random_state = 20260119;

static double uniform(double from, double to)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return from + (to - from) * (double)(random_state >> 11) * 0x1p-53;
}

/* A few values of each parameter, edges among them. */
static double one_of(const double *values, size_t n)
{
    return values[(size_t)uniform(0.0, (double)n)];
}

#define ONE_OF(...) \
    one_of((const double[]){ __VA_ARGS__ }, sizeof(const double[]){ __VA_ARGS__ } / sizeof(double))

static void random_settings(struct slow_settings *p)
{
    p->beta = ONE_OF(0.0, 0.5, 0.9, 0.95, 0.99, 1.0, uniform(0.0, 1.0));
    p->low = ONE_OF(0.0, 0.5, 0.95, 1.5, uniform(0.0, 2.0));
    p->high = ONE_OF(0.0, 0.6, 1.0, 2.0, uniform(0.0, 3.0));
    p->low_late = ONE_OF(-1.0, 0.0, 0.8, 0.98, uniform(0.0, 2.0));
    p->high_late = ONE_OF(-1.0, 0.0, 0.7, 1.2, uniform(0.0, 3.0));
    p->switch_at = ONE_OF(0.0, 0.25, 0.4, 1.0, uniform(0.0, 1.0));
    p->transition = ONE_OF(0.0, 1e-7, 0.25, 0.3, 1.0, uniform(0.0, 1.0));
    p->min_norm = ONE_OF(0.0, 0.0, 0.01, 1.0, uniform(0.0, 2.0));
    p->raise = uniform(0.0, 1.0) < 0.5;
    p->max_up = ONE_OF(0.0, 0.5, 1.0, 1.1, uniform(0.0, 3.0));
    p->max_down = ONE_OF(0.0, 0.9, 1.0, uniform(0.0, 1.0));
}

static void settings_text(const struct slow_settings *p, char *text, size_t size)
{
    snprintf(text, size,
             "aggc:form=code,beta=%.17g,low=%.17g,high=%.17g,low_late=%.17g,high_late=%.17g,"
             "switch=%.17g,transition=%.17g,min_norm=%.17g,raise=%d,max_up=%.17g,max_down=%.17g",
             p->beta, p->low, p->high, p->low_late, p->high_late, p->switch_at, p->transition,
             p->min_norm, p->raise, p->max_up, p->max_down);
}

/* A random walk of the norm's logarithm, with spikes, exact zeros and a rare NaN. */
static double next_norm(double *walk)
{
    double kind = uniform(0.0, 1.0);

    *walk *= uniform(0.8, 1.25);
    if (kind < 0.02)
        return *walk * 100.0;
    if (kind < 0.04)
        return 0.0;
    if (kind < 0.0405)
        return (double)NAN;
    return *walk;
}

static void random_walks_agree_with_the_pseudo_code(void)
{
    enum { STEPS = 300, ROUNDS = 2000 };
    struct slow_step *steps = calloc(STEPS, sizeof *steps);
    size_t round, t, scaled = 0;
    struct lane lane;

    lane_init(&lane, STEPS);
    for (round = 0; round < ROUNDS && check_failures == 0; round++) {
        struct slow_settings p;
        double walk = uniform(0.01, 10.0);
        char text[600];

        random_settings(&p);
        p.total_steps = (long)ONE_OF(0.0, 1.0, 100.0, 300.0, 1000.0);
        for (t = 0; t < STEPS; t++) {
            steps[t].n = next_norm(&walk);
            lane_set(&lane, t, steps[t].n, (size_t)p.total_steps);
            if (lane.progress[t] > 1.0)
                lane.progress[t] = 1.0;
        }
        settings_text(&p, text, sizeof text);
        slow_aggc(&p, steps, STEPS);
        lane_run(&lane, text);
        for (t = 0; t < STEPS; t++) {
            CHECK_BITS(lane.lower[t], steps[t].lower);
            CHECK_BITS(lane.upper[t], steps[t].upper);
            CHECK_BITS(lane.scale[t], steps[t].s);
            scaled += steps[t].s != 1.0;
        }
        if (check_failures > 0)
            printf("the setting was %s\n", text);
    }
    CHECK(scaled > ROUNDS * STEPS / 10); /* it was a test of something */
    lane_free(&lane);
    free(steps);
}

/* --- the published code's logs ---------------------------------------------------------------- */

enum { MODULES_MAX = 16, NAME_SIZE = 32 };

/* A log: rows of step,module,norm,lower,upper,scale, all modules of a step in turn. */
struct log {
    char names[MODULES_MAX][NAME_SIZE];
    size_t n_modules, n_rows;
    double (*rows)[4]; /* norm, lower, upper, scale */
    size_t *of_row;    /* module of each row */
};

static size_t module_of(struct log *log, const char *name)
{
    size_t i;

    for (i = 0; i < log->n_modules; i++)
        if (strcmp(log->names[i], name) == 0)
            return i;
    if (log->n_modules == MODULES_MAX)
        return 0;
    snprintf(log->names[log->n_modules], NAME_SIZE, "%s", name);
    return log->n_modules++;
}

static void log_read(struct log *log, const char *name)
{
    enum { ROWS_MAX = 20000 };
    char path[512], line[256], module[NAME_SIZE];
    FILE *f;

    memset(log, 0, sizeof *log);
    log->rows = calloc(ROWS_MAX, sizeof *log->rows);
    log->of_row = calloc(ROWS_MAX, sizeof *log->of_row);
    snprintf(path, sizeof path, "%s/%s", golden, name);
    f = fopen(path, "r");
    if (f == NULL) {
        perror(path);
        CHECK(f != NULL);
        return;
    }
    CHECK(fgets(line, sizeof line, f) != NULL);
    CHECK_TEXT(line, "step,module,norm,lower,upper,scale\n");
    while (log->n_rows < ROWS_MAX && fgets(line, sizeof line, f) != NULL) {
        double *row = log->rows[log->n_rows];

        CHECK(sscanf(line, "%*d,%31[^,],%lf,%lf,%lf,%lf", module, &row[0], &row[1], &row[2],
                     &row[3]) == 5);
        log->of_row[log->n_rows++] = module_of(log, module);
    }
    fclose(f);
}

static void log_free(struct log *log)
{
    free(log->rows);
    free(log->of_row);
}

/* Replays one module's norms, and compares all three columns with what the code wrote. */
static void check_module(const struct log *log, size_t module, const char *setting, size_t n_steps)
{
    struct lane lane;
    size_t row, t = 0;

    lane_init(&lane, n_steps);
    for (row = 0; row < log->n_rows; row++)
        if (log->of_row[row] == module && t < n_steps)
            lane_set(&lane, t++, log->rows[row][0], n_steps);
    CHECK(t == n_steps);
    lane_run(&lane, setting);
    for (row = 0, t = 0; row < log->n_rows && check_failures < 5; row++) {
        if (log->of_row[row] != module)
            continue;
        CHECK_BITS(lane.lower[t], log->rows[row][1]);
        CHECK_BITS(lane.upper[t], log->rows[row][2]);
        CHECK_BITS(lane.scale[t], log->rows[row][3]);
        t++;
    }
    lane_free(&lane);
}

static void check_log(const char *name, size_t n_modules, size_t n_steps, const char *setting)
{
    struct log log;
    size_t module;

    log_read(&log, name);
    CHECK(log.n_modules == n_modules);
    CHECK(log.n_rows == n_modules * n_steps);
    for (module = 0; module < log.n_modules; module++)
        check_module(&log, module, setting, n_steps);
    log_free(&log);
}

static void the_lora_log_comes_out_bit_for_bit(void)
{
    check_log("lora.csv", 7, 1200, "aggc-code-lora");
}

static void the_wide_log_comes_out_bit_for_bit(void)
{
    check_log("wide.csv", 7, 800,
              "aggc:form=code,beta=0.9,low=0.5,high=1.5,low_late=0.8,high_late=1.1,switch=0.3,"
              "transition=0.4,min_norm=0,raise=on");
}

static void the_fixed_log_comes_out_bit_for_bit(void)
{
    check_log("fixed.csv", 7, 400, "aggc:form=fixed,min_norm=0.05,max_norm=0.2,raise=on");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        golden = argv[1];
    RUN(random_walks_agree_with_the_pseudo_code);
    RUN(the_lora_log_comes_out_bit_for_bit);
    RUN(the_wide_log_comes_out_bit_for_bit);
    RUN(the_fixed_log_comes_out_bit_for_bit);
    return check_report();
}
