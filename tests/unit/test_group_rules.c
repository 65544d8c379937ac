/* test_group_rules.c - the rules for groups as a whole: defaults, files, errors, size. */
#define _GNU_SOURCE
#include "grouping.h"

#include <stdlib.h>
#include <unistd.h>

static const struct named small[] = {
    { .tensor = "model.layers.0.q_proj.lora_A.weight" },
    { .tensor = "model.layers.0.q_proj.lora_B.weight" },
    { .tensor = "model.layers.1.up_proj.lora_A.weight" },
    { .tensor = "model.layers.1.q_proj.lora_A.weight" },
    { .tensor = "model.layers.1.norm.weight" },
};
enum { SMALL = GTR_ARRAY_LEN(small) };

static void check_small(const char *rule, const char *const *wanted)
{
    struct gtr_head head;
    struct gtr_groups *groups;
    size_t i;

    head_of(&head, small, SMALL);
    groups = group(rule, &head);
    for (i = 0; groups != NULL && i < SMALL; i++)
        CHECK_TEXT(group_of(groups, i), wanted[i]);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void the_other_rules(void)
{
    static const char *const all[SMALL] = { "all", "all", "all", "all", "all" };
    static const char *const ab[SMALL] = { "q_proj.A", "q_proj.B", "up_proj.A", "q_proj.A",
                                           "norm" };
    const char *tensors[SMALL];
    size_t i;

    for (i = 0; i < SMALL; i++)
        tensors[i] = small[i].tensor;
    check_small("all", all);
    check_small("lora-ab", ab);
    check_small("tensor", tensors);
}

static void groups_are_numbered_by_first_appearance(void)
{
    struct gtr_head head;
    struct gtr_groups *groups;

    head_of(&head, small, SMALL);
    groups = group(NULL, &head);
    CHECK_TEXT(groups->rule, "module");
    CHECK(groups->n_groups == 3);
    CHECK_TEXT(groups->names[0], "q_proj");
    CHECK_TEXT(groups->names[1], "up_proj");
    CHECK_TEXT(groups->names[2], "norm");
    CHECK(groups->of_tensor[3] == 0 && groups->of_tensor[4] == 2);
    CHECK(groups->left_out == groups->n_groups);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void what_aggc_leaves_out_is_the_group_minus(void)
{
    static const struct named names[] = {
        { .tensor = "model.0.weight" },
        { .tensor = "m.q_proj.weight" },
        { .tensor = "model.layers.weight" },
    };
    struct gtr_head head;
    struct gtr_groups *groups;

    head_of(&head, names, 3);
    groups = group("aggc", &head);
    CHECK(groups->n_groups == 2 && groups->left_out == 0);
    CHECK(groups->of_tensor[0] == 0 && groups->of_tensor[1] == 1 && groups->of_tensor[2] == 0);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void the_traces_own_rule_is_the_default(void)
{
    struct gtr_head head;
    struct gtr_groups *groups;

    head_of(&head, small, SMALL);
    CHECK(gtr_head_set(&head.group_by, "layer", NULL) == GTR_OK);
    groups = group("", &head);
    CHECK_TEXT(groups->rule, "layer");
    CHECK(groups->n_groups == 2);
    gtr_groups_free(groups);
    groups = group("all", &head);
    CHECK_TEXT(groups->rule, "all");
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

/* Two groups of an optimizer, and a tensor that it does not have. */
static void parameter_groups_are_the_optimizers(void)
{
    struct gtr_head head;
    struct gtr_groups *groups;

    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    CHECK(gtr_head_set_param_group(&head, "muon", NULL) == GTR_EUSAGE); /* no tensor yet */
    CHECK(gtr_head_add_tensor(&head, "a.weight", "2", 2, GTR_F32, NULL) == GTR_OK);
    CHECK(gtr_head_set_param_group(&head, "muon", NULL) == GTR_OK);
    CHECK(gtr_head_add_tensor(&head, "a.bias", "2", 2, GTR_F32, NULL) == GTR_OK);
    CHECK(gtr_head_set_param_group(&head, "adamw", NULL) == GTR_OK);
    CHECK(gtr_head_add_tensor(&head, "b.weight", "2", 2, GTR_F32, NULL) == GTR_OK);
    CHECK(gtr_head_set_param_group(&head, "muon", NULL) == GTR_OK);
    CHECK(gtr_head_add_tensor(&head, "c", "2", 2, GTR_F32, NULL) == GTR_OK);
    groups = group("param-group", &head);
    CHECK(groups->n_groups == 3);
    CHECK_TEXT(groups->names[0], "muon");
    CHECK_TEXT(groups->names[1], "adamw");
    CHECK_TEXT(groups->names[2], "no-optimizer");
    CHECK(groups->of_tensor[2] == 0 && groups->of_tensor[3] == 2);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void check_refused(const char *rule, const char *own, enum gtr_code code, const char *wanted)
{
    struct gtr_head head;
    struct gtr_groups *groups;
    struct gtr_err err = { 0 };

    head_of(&head, small, SMALL);
    if (own != NULL)
        CHECK(gtr_head_set(&head.group_by, own, NULL) == GTR_OK);
    CHECK(gtr_groups_new(rule, &head, &groups, &err) == code);
    CHECK(groups == NULL);
    CHECK_TEXT(err.text, wanted);
    gtr_head_free(&head);
}

static void unknown_rules_are_refused(void)
{
    check_refused("modul", NULL, GTR_EUSAGE,
                  "modul: no such rule for groups; did you mean module? (there are module, layer, "
                  "layer.module, tensor, all, lora-ab, aggc, file:PATH, param-group)");
    check_refused("xyz", NULL, GTR_EUSAGE,
                  "xyz: no such rule for groups; there are module, layer, layer.module, tensor, "
                  "all, lora-ab, aggc, file:PATH, param-group");
    check_refused("param-group", NULL, GTR_EUSAGE,
                  "param-group: this trace does not hold the optimizer's parameter groups; name "
                  "another rule");
    check_refused("file:", NULL, GTR_EUSAGE, "file: names no file; write file:PATH");
    check_refused("file:/no/such/file", NULL, GTR_EIO,
                  "/no/such/file: cannot read: No such file or directory");
    check_refused("file:/", NULL, GTR_EIO, "/: cannot read: Is a directory");
    check_refused(NULL, "by-the-moon", GTR_EFORMAT,
                  "this trace asks for the groups of by-the-moon, which is no rule; name one with "
                  "--group-by");
    check_refused(NULL, "file:/etc/passwd", GTR_EFORMAT,
                  "this trace asks for the groups of file:/etc/passwd, which is outside it; name "
                  "a rule with --group-by");
}

/* --- file:PATH -------------------------------------------------------------------------------- */

static char file_path[] = P_tmpdir "/test_groups.XXXXXX";

static const char *file_with(const char *text, size_t n)
{
    static char rule[64];
    FILE *f = fopen(file_path, "wb");

    CHECK(f != NULL);
    if (f != NULL) {
        CHECK(fwrite(text, 1, n, f) == n);
        fclose(f);
    }
    snprintf(rule, sizeof rule, "file:%s", file_path);
    return rule;
}

static void a_file_names_groups_by_its_first_match(void)
{
    static const char text[] = "# attention first\n"
                               "\n"
                               "model.layers.0.*\tfirst block\r\n"
                               "  # the rest\n"
                               "*q_proj*\tattention\n"
                               "*.norm.*\t-";
    static const char *const wanted[SMALL] = { "first block", "first block", "up_proj", "attention",
                                               "-" };
    struct gtr_head head;
    struct gtr_groups *groups;

    check_small(file_with(text, sizeof text - 1), wanted);
    head_of(&head, small, SMALL);
    groups = group(file_with(text, sizeof text - 1), &head);
    CHECK(groups != NULL && groups->left_out == 3);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void check_bad_file(const char *text, size_t n, const char *wanted)
{
    char whole[200];

    snprintf(whole, sizeof whole, "%s%s", file_path, wanted);
    check_refused(file_with(text, n), NULL, GTR_EFORMAT, whole);
}

static void a_bad_line_is_told_with_its_number(void)
{
    check_bad_file("*\ta\nmodel.*  b\n", 15, ":2: has no tab; write GLOB<tab>GROUP");
    check_bad_file("\n\n\tb\n", 5, ":3: the glob is empty; write GLOB<tab>GROUP");
    check_bad_file("a\t\n", 3, ":1: the group is empty; write GLOB<tab>GROUP");
    check_bad_file("a\t\r\n", 4, ":1: the group is empty; write GLOB<tab>GROUP");
    check_bad_file("a\tb\tc\n", 6, ":1: has more than one tab; write GLOB<tab>GROUP");
    check_bad_file("", 0, ": holds no groups; write lines GLOB<tab>GROUP");
    check_bad_file("# nothing\n", 10, ": holds no groups; write lines GLOB<tab>GROUP");
    check_bad_file("lm_head*\ta\n", 11, ": none of its globs matches a tensor of this trace");
}

/* --- size, and no memory ---------------------------------------------------------------------- */

/* 10,000 tensors must not mean 10,000 x 10,000 comparisons: this is to end in well under a second
 * for every rule, and the runner would stop it. */
static void many_tensors(void)
{
    static const char *const rules[] = { "module", "layer", "layer.module", "tensor", "aggc" };
    static const size_t wanted[] = { 5000, 10000, 10000, 10000, 5000 };
    struct gtr_head head;
    char name[64];
    size_t i, r;

    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    for (i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "model.part%zu.%zu.name%zu.weight", i, i % 7, i % 5000);
        CHECK(gtr_head_add_tensor(&head, name, "", 1, GTR_F32, NULL) == GTR_OK);
    }
    for (r = 0; r < GTR_ARRAY_LEN(rules); r++) {
        struct gtr_groups *groups = group(rules[r], &head);

        CHECK(groups->n_groups == wanted[r]);
        gtr_groups_free(groups);
    }
    gtr_head_free(&head);
}

static void no_memory_is_an_error_and_nothing_else(void)
{
    static const char *const rules[] = { "module", "layer.module", "lora-ab", "file" };
    static const char text[] = "*\tall of them\n";
    struct gtr_head head;
    size_t r, n;

    head_of(&head, small, SMALL);
    for (r = 0; r < GTR_ARRAY_LEN(rules); r++) {
        const char *rule = rules[r];
        struct gtr_groups *groups = NULL;

        if (strcmp(rule, "file") == 0)
            rule = file_with(text, sizeof text - 1);
        for (n = 1; groups == NULL && n < 500; n++) {
            struct gtr_err err = { 0 };

            gtr_alloc_fail_after(n);
            gtr_groups_new(rule, &head, &groups, &err);
            gtr_alloc_fail_after(0);
            CHECK((groups == NULL) == (err.code == GTR_ENOMEM));
        }
        CHECK(groups != NULL && n > 8);
        gtr_groups_free(groups);
    }
    gtr_head_free(&head);
}

static void the_list_of_rules_is_for_people(void)
{
    size_t n, i;
    const struct gtr_group_rule *rules = gtr_group_rules(&n);

    CHECK(n == 9);
    for (i = 0; i < n; i++)
        CHECK(rules[i].name[0] != '\0' && strlen(rules[i].help) < 80);
}

int main(void)
{
    int fd = mkstemp(file_path);

    if (fd < 0) {
        perror(file_path);
        return 1;
    }
    close(fd);
    RUN(the_other_rules);
    RUN(groups_are_numbered_by_first_appearance);
    RUN(what_aggc_leaves_out_is_the_group_minus);
    RUN(the_traces_own_rule_is_the_default);
    RUN(parameter_groups_are_the_optimizers);
    RUN(unknown_rules_are_refused);
    RUN(a_file_names_groups_by_its_first_match);
    RUN(a_bad_line_is_told_with_its_number);
    RUN(many_tensors);
    RUN(no_memory_is_an_error_and_nothing_else);
    RUN(the_list_of_rules_is_for_people);
    unlink(file_path);
    return check_report();
}
