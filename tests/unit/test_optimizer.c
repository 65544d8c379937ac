/* test_optimizer.c - simulated optimizers: worked by hand, and as text. */
#include "check.h"

#include "optimizer.h"

static struct gtr_optimizer parsed(const char *text)
{
    struct gtr_optimizer optimizer;
    struct gtr_err err = { 0 };

    gtr_optimizer_init(&optimizer, GTR_SGD);
    CHECK(gtr_optimizer_parse(text, &optimizer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    return optimizer;
}

/* beta1 = 1/2, beta2 = 3/4, eps = 1/4, g = 2 twice:
 *   t = 1: m = 1, v = 1, root = 1/sqrt(1/4) = 2: u = 1 / (2 + 1/4) = 4/9; factor 1/(1/2) = 2
 *   t = 2: m = 3/2, v = 3/4 + 1 = 7/4, root = 1/sqrt(7/16): u = 3/2 / (sqrt(7/4) root + 1/4) */
static void adamw_by_hand(void)
{
    struct gtr_optimizer o = parsed("adamw:beta1=0.5,beta2=0.75,eps=0.25");
    struct gtr_optimizer_step steps[2];
    struct gtr_moments s = { 0.0f, 0.0f };
    float u;

    gtr_optimizer_steps(&o, 2, steps);
    CHECK_BITS(steps[0].root, 2.0);
    CHECK_BITS(steps[0].factor, 2.0);
    u = gtr_adamw_move(&steps[0], 2.0f, &s);
    CHECK_BITS(s.first, 1.0);
    CHECK_BITS(s.second, 1.0);
    CHECK_BITS(u, 1.0f / 2.25f);
    CHECK_BITS(steps[1].factor, 1.0 / 0.75);
    CHECK_BITS(steps[1].root, (float)(1.0 / sqrt(0.4375)));
    u = gtr_adamw_move(&steps[1], 2.0f, &s);
    CHECK_BITS(s.first, 1.5);
    CHECK_BITS(s.second, 1.75);
    CHECK_BITS(u, 1.5f / (sqrtf(1.75f) * (float)(1.0 / sqrt(0.4375)) + 0.25f));
}

/* g of any constant size gives an update of 1 at every step, but for eps. */
static void adamw_forgets_a_constant_scale(void)
{
    struct gtr_optimizer o = parsed("adamw:eps=1e-30");
    struct gtr_optimizer_step steps[200];
    struct gtr_moments s = { 0.0f, 0.0f };
    int t;

    gtr_optimizer_steps(&o, 200, steps);
    for (t = 0; t < 200; t++) {
        double u = (double)gtr_adamw_move(&steps[t], 0.001f, &s) * steps[t].factor;

        CHECK_NEAR(u, 1.0, 3e-5); /* torch's fp32 moments drift as much */
    }
}

/* momentum 1/2, g = 1, 2, 4: b = 1, 5/2, 21/4. */
static void sgd_by_hand(void)
{
    static const float g[3] = { 1.0f, 2.0f, 4.0f };
    static const double b[3] = { 1.0, 2.5, 5.25 };
    struct gtr_optimizer o = parsed("sgd:momentum=0.5"), n = parsed("sgd:momentum=0.5,nesterov=1");
    struct gtr_optimizer_step plain[3], ahead[3];
    struct gtr_moments s = { 0.0f, 0.0f }, r = { 0.0f, 0.0f };
    int t;

    gtr_optimizer_steps(&o, 3, plain);
    gtr_optimizer_steps(&n, 3, ahead);
    for (t = 0; t < 3; t++) {
        CHECK_BITS(gtr_sgd_move(&plain[t], g[t], &s), b[t]);
        CHECK_BITS(gtr_sgd_move(&ahead[t], g[t], &r), (double)g[t] + 0.5 * b[t]);
        CHECK_BITS(plain[t].factor, 1.0);
    }
}

/* dampening 1/4, momentum 1/2, g = 1, 2, 4: b = 1, 1/2 + 3/2, 1 + 3: the first is taken whole. */
static void dampening_by_hand(void)
{
    static const float g[3] = { 1.0f, 2.0f, 4.0f };
    static const double b[3] = { 1.0, 2.0, 4.0 };
    struct gtr_optimizer o = parsed("sgd:momentum=0.5,dampening=0.25");
    struct gtr_moments s = { 0.0f, 0.0f };
    struct gtr_optimizer_step steps[3];
    int t;

    gtr_optimizer_steps(&o, 3, steps);
    for (t = 0; t < 3; t++)
        CHECK_BITS(gtr_sgd_move(&steps[t], g[t], &s), b[t]);
}

/* beta1 = 1/2, beta2 = 3/4; g = 4, -2, 0, 0:
 *   c = 2, m = 1;  c = -1/2, m = 1/4;  c = 1/8, m = 3/16;  so u = 1, -1, 1 */
static void lion_by_hand(void)
{
    static const float g[3] = { 4.0f, -2.0f, 0.0f };
    static const double u[3] = { 1.0, -1.0, 1.0 }, m[3] = { 1.0, 0.25, 0.1875 };
    struct gtr_optimizer o = parsed("lion:beta1=0.5,beta2=0.75");
    struct gtr_moments s = { 0.0f, 0.0f };
    struct gtr_optimizer_step steps[3];
    int t;

    gtr_optimizer_steps(&o, 3, steps);
    for (t = 0; t < 3; t++) {
        CHECK_BITS(gtr_lion_move(&steps[t], g[t], &s), u[t]);
        CHECK_BITS(s.first, m[t]);
        CHECK_BITS(steps[t].factor, 1.0);
    }
    s.first = 0.0f;
    CHECK_BITS(gtr_lion_move(&steps[0], 0.0f, &s), 0.0);
    CHECK_BITS(gtr_lion_move(&steps[0], -0.0f, &s), 0.0);
    CHECK(isnan(gtr_lion_move(&steps[0], HUGE_VALF, &s)));
}

/* alpha = 3/4, eps = 1/4, momentum 1/2, g = 4 and 0: v = 4, b = 4 / 2.25; v = 3, b half of that. */
static void rmsprop_by_hand(void)
{
    struct gtr_optimizer o = parsed("rmsprop:alpha=0.75,eps=0.25,momentum=0.5");
    struct gtr_moments s = { 0.0f, 0.0f };
    struct gtr_optimizer_step steps[2];

    gtr_optimizer_steps(&o, 2, steps);
    CHECK_BITS(gtr_rmsprop_move(&steps[0], 4.0f, &s), 4.0f / 2.25f);
    CHECK_BITS(s.second, 4.0);
    CHECK_BITS(gtr_rmsprop_move(&steps[1], 0.0f, &s), 0.5f * (4.0f / 2.25f));
    CHECK_BITS(s.second, 3.0);
}

/* With momentum_decay 0 mu is beta1 / 2 = 1/4 at all steps.  beta2 = 3/4, eps = 1/4, g = 2: m = 1,
 * v = 1, root 2; u = (1/4 / (1 - 1/16) m + (3/4) / (3/4) g) / (2 + 1/4). */
static void nadam_by_hand(void)
{
    struct gtr_optimizer o = parsed("nadam:beta1=0.5,beta2=0.75,eps=0.25,momentum_decay=0");
    struct gtr_moments s = { 0.0f, 0.0f };
    struct gtr_optimizer_step step;

    gtr_optimizer_steps(&o, 1, &step);
    CHECK_BITS(step.of_m, 0.25f / 0.9375f);
    CHECK_BITS(step.of_g, 1.0);
    CHECK_BITS(gtr_nadam_move(&step, 2.0f, &s), (0.25f / 0.9375f + 2.0f) / 2.25f);
}

static void powers_are_running_products(void)
{
    struct gtr_optimizer o = parsed("adamw");
    struct gtr_optimizer_step steps[1000];
    double product1 = 1.0, product2 = 1.0;
    int t;

    gtr_optimizer_steps(&o, 1000, steps);
    for (t = 0; t < 1000; t++) {
        product1 *= 0.9;
        product2 *= 0.999;
        CHECK_BITS(steps[t].factor, 1.0 / (1.0 - product1));
        CHECK_BITS(steps[t].root, (float)(1.0 / sqrt(1.0 - product2)));
        CHECK_BITS(steps[t].fresh1, (float)(1.0 - 0.9));
    }
}

static void what_is_printed_parses_back(void)
{
    static const char *const texts[] = { "adamw",
                                         "sgd",
                                         "adamw:beta1=0,beta2=0.95,eps=1e-06",
                                         "sgd:momentum=0,nesterov=1,dampening=0.5",
                                         "lion:beta1=0.95",
                                         "rmsprop:momentum=0.5",
                                         "nadam:momentum_decay=0",
                                         "adamw:eps=1e-37" };
    char first[200], second[200];
    size_t i;

    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gtr_optimizer o = parsed(texts[i]);

        gtr_optimizer_print(&o, first, sizeof first);
        o = parsed(first);
        CHECK_TEXT(gtr_optimizer_print(&o, second, sizeof second), first);
    }
    CHECK_TEXT(first, "adamw:beta1=0.9,beta2=0.999,eps=1e-37");
    CHECK_TEXT(gtr_optimizer_print(&(struct gtr_optimizer){ .id = GTR_SGD }, first, 8), "sgd:mom");
}

static void refused(const char *text, const char *part)
{
    struct gtr_optimizer o = { .id = GTR_SGD, .momentum = 0.25 };
    struct gtr_err err = { 0 };

    CHECK(gtr_optimizer_parse(text, &o, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, part);
    CHECK(o.id == GTR_SGD && o.momentum == 0.25);
}

static void bad_text_is_refused_with_advice(void)
{
    refused("adamv", "adamv: no such optimizer; did you mean adamw?");
    refused("adafactor",
            "adafactor: no such optimizer; there are adamw, sgd, lion, rmsprop, nadam");
    refused("", "no such optimizer");
    refused("adamw:beta3=0.5", "adamw: beta3: no such parameter; did you mean beta1?");
    refused("sgd:weight=1", "sgd: weight: no such parameter; it has momentum, nesterov, dampening");
    refused("adamw:beta1=1", "adamw: beta1=1: must be at least 0 and below 1");
    refused("adamw:beta1=-0.5", "below 1");
    refused("adamw:beta1=nan", "below 1");
    refused("adamw:beta1=0.9x", "adamw: beta1=0.9x: is not a number");
    refused("adamw:eps=0", "adamw: eps=0: must be from 1e-37 to 1e+30");
    refused("sgd:nesterov=0.5", "sgd: nesterov=0.5: must be 0 or 1");
    refused("adamw:", "adamw: : has no value; write KEY=VALUE");
    refused("adamw:beta1", "has no value");
    refused("adamw:beta1=0.5,", "has no value");
}

static void from_meta(const char *meta, const char *wanted)
{
    struct gtr_optimizer o = { .id = GTR_SGD, .momentum = 0.25 };
    char text[200];
    int known = gtr_optimizer_from_meta(meta, &o);

    CHECK(known == (wanted != NULL));
    if (wanted != NULL)
        CHECK_TEXT(gtr_optimizer_print(&o, text, sizeof text), wanted);
    else
        CHECK(o.id == GTR_SGD && o.momentum == 0.25);
}

static void meta_tells_the_optimizer(void)
{
    static const char b95[] = "adamw:beta1=0.9,beta2=0.95,eps=1e-06";

    from_meta("{\"command\": \"train.py\", \"optimizer\": {\"class\": \"AdamW\", \"lr\": 0.001, "
              "\"betas\": [0.9, 0.95], \"eps\": 1e-06, \"weight_decay\": 0.01}}",
              b95);
    from_meta("{\"optimizer\": {\"name\": \"Adam\", \"betas\": [0.9, 0.95], \"eps\": 1e-6}}", b95);
    from_meta("{\"optimizer\": {\"name\": \"adamw_torch\", \"beta2\": 0.95, \"eps\": 1e-6}}", b95);
    from_meta("{\"optimizer\": \"AdamW8bit\", \"betas\": [0.9, 0.95], \"eps\": 1e-6}", b95);
    from_meta("{\"optim\": \"adamw_torch_fused\", \"adam_beta1\": 0.9, \"adam_beta2\": 0.95, "
              "\"adam_epsilon\": 1e-6}",
              b95);
    from_meta("{\"optimizer\": {\"class\": \"SGD\", \"momentum\": 0.5, \"nesterov\": true}}",
              "sgd:momentum=0.5,nesterov=1,dampening=0");
    from_meta("{\"optimizer\": {\"class\": \"SGD\"}}", "sgd:momentum=0,nesterov=0,dampening=0");
    from_meta("{\"optimizer\": {\"class\": \"Lion\", \"betas\": [0.95, 0.98]}}",
              "lion:beta1=0.95,beta2=0.98");
    from_meta("{\"optimizer\": {\"class\": \"RMSprop\", \"alpha\": 0.9, \"eps\": 1e-6}}",
              "rmsprop:alpha=0.9,eps=1e-06,momentum=0");
    from_meta(
        "{\"optimizer\": {\"class\": \"NAdam\", \"betas\": [0.9, 0.99], \"momentum_decay\": 0.01}}",
        "nadam:beta1=0.9,beta2=0.99,eps=1e-08,momentum_decay=0.01");
}

static void meta_without_one_leaves_all_alone(void)
{
    from_meta(NULL, NULL);
    from_meta("", NULL);
    from_meta("{", NULL);
    from_meta("[1]", NULL);
    from_meta("{}", NULL);
    from_meta("{\"name\": \"AdamW\"}", NULL);
    from_meta("{\"optimizer\": null}", NULL);
    from_meta("{\"optimizer\": {\"class\": \"Muon\", \"momentum\": 0.95}}", NULL);
    from_meta("{\"optimizer\": {\"class\": \"Adamax\", \"betas\": [0.9, 0.99]}}", NULL);
    from_meta("{\"optimizer\": {\"class\": \"AdamW\", \"betas\": [0.9, 1.5]}}", NULL);
    from_meta("{\"optimizer\": {\"betas\": [0.9, 0.99]}}", NULL);
}

static void unlike(const char *meta, const char *wanted)
{
    char text[200];

    CHECK_TEXT(gtr_optimizer_unlike(meta, text, sizeof text), wanted);
}

static void what_is_not_simulated_is_told(void)
{
    unlike(NULL, "");
    unlike("{", "");
    unlike("{\"optimizer\": {\"class\": \"AdamW\", \"weight_decay\": 0.1}}", "");
    unlike("{\"optimizer\": {\"class\": \"Adam\", \"weight_decay\": 0.0}}", "");
    unlike("{\"optimizer\": {\"class\": \"Adam\", \"weight_decay\": 0.1}}",
           "weight decay added to gradients");
    unlike("{\"optimizer\": {\"class\": \"NAdam\", \"weight_decay\": 0.1, "
           "\"decoupled_weight_decay\": true}}",
           "");
    unlike("{\"optimizer\": {\"class\": \"AdamW\", \"amsgrad\": true}}", "amsgrad");
    unlike("{\"optimizer\": {\"class\": \"RMSprop\", \"centered\": true, \"weight_decay\": 0.1}}",
           "centering, weight decay added to gradients");
    unlike("{\"optimizer\": {\"class\": \"Muon\", \"momentum\": 0.95}}", "Muon");
    unlike("{\"optim\": \"adafactor\"}", "adafactor");
    /* A group without weight decay makes no other update of the gradient. */
    unlike("{\"optimizer\": {\"class\": \"AdamW\", \"betas\": [0.9, 0.99], \"param_groups\": "
           "[{\"betas\": [0.9, 0.99], \"weight_decay\": 0.1}, {\"betas\": [0.9, 0.99]}]}}",
           "");
    unlike("{\"optimizer\": {\"class\": \"AdamW\", \"lr\": 0.1, \"param_groups\": [{\"lr\": 0.1}, "
           "{\"betas\": [0.8, 0.99], \"lr\": 0.2}]}}",
           "settings of other parameter groups, learning rates of parameter groups");
}

int main(void)
{
    RUN(adamw_by_hand);
    RUN(adamw_forgets_a_constant_scale);
    RUN(sgd_by_hand);
    RUN(dampening_by_hand);
    RUN(lion_by_hand);
    RUN(rmsprop_by_hand);
    RUN(nadam_by_hand);
    RUN(powers_are_running_products);
    RUN(what_is_printed_parses_back);
    RUN(bad_text_is_refused_with_advice);
    RUN(meta_tells_the_optimizer);
    RUN(what_is_not_simulated_is_told);
    RUN(meta_without_one_leaves_all_alone);
    return check_report();
}
