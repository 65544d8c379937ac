/* test_import_bad.c - logs and options that are refused, and how that is told. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "logs.h"

/* --- refusals -------------------------------------------------------------------------------- */

struct refusal {
    const char *text;
    struct gtr_log_options options;
    enum gtr_code code;
    const char *told;
};

static void check_refusals(const struct refusal *refusals, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        struct gtr_err err = { 0 };
        struct gtr_log *log = NULL;

        CHECK(read_bytes(refusals[i].text, strlen(refusals[i].text), &refusals[i].options, &log,
                         &err) == refusals[i].code);
        CHECK(log == NULL);
        CHECK_HOLDS(err.text, refusals[i].told);
        gtr_log_free(log);
    }
}

#define USUAL          \
    {                  \
        .format = NULL \
    }
#define COLUMNS(text)   \
    {                   \
        .columns = text \
    }

static void bad_tables_are_refused_with_line_and_column(void)
{
    static const struct refusal refusals[] = {
        { "", USUAL, GTR_EFORMAT, "the.log: is empty" },
        { "\n#x\n \n", USUAL, GTR_EFORMAT, "the.log: is empty" },
        { "step,module,norm\n", USUAL, GTR_EFORMAT, "the.log: a header and no norms" },
        { "step,module,norm\n1,a,\n", USUAL, GTR_EFORMAT, "the.log: a header and no norms" },
        { "1,2,3\n", USUAL, GTR_EFORMAT, "the.log:1: the first line holds numbers" },
        { "a,b\n1,2\n", USUAL, GTR_EFORMAT, "the.log:1: no column of steps among a, b; " },
        { "step,module,x\n1,a,2\n", USUAL, GTR_EFORMAT,
          "no column of norms among step, module, x; name it: --columns norm=COLUMN" },
        { "step,loss,time\n1,2,3\n", USUAL, GTR_EFORMAT, "no column of norms among" },
        { "step,gnorm,gnorm\n1,2,3\n", USUAL, GTR_EFORMAT,
          "the.log:1: two columns are called gnorm" },
        { "step,norm,norm,name\n0,1,2,a\n", USUAL, GTR_EFORMAT,
          "the.log:1: two columns are called norm; give one another name" },
        { "step,step,a\n0,1,2\n", USUAL, GTR_EFORMAT, "two columns are called step" },
        { "Step,step,a\n0,1,2\n", USUAL, GTR_EFORMAT,
          "the.log:1: Step or step? both may be the step; name one: --columns step=COLUMN" },
        { "step,module,norm\n0,a,1\n0.5,a,1\n", USUAL, GTR_EFORMAT,
          "the.log:3: step: \"0.5\" is not a whole step number" },
        { "step,module,norm\n,a,1\n", USUAL, GTR_EFORMAT, "the.log:2: step: \"\" is not" },
        { "step,module,norm\n1e300,a,1\n", USUAL, GTR_EFORMAT, "\"1e300\" is not a whole step" },
        { "step,module,norm\n0,a,x1\n", USUAL, GTR_EFORMAT,
          "the.log:2: norm: \"x1\" is not a number" },
        { "step;module;norm\n0;a;0,5\n", USUAL, GTR_EFORMAT,
          "\"0,5\" is not a number; write a decimal point" },
        { "step,module,norm\n0,a,-0.5\n", USUAL, GTR_EFORMAT, "\"-0.5\" is negative" },
        { "step,module,norm\n0,,1\n", USUAL, GTR_EFORMAT, "module: \"\" names no series" },
        { "step,module,norm\n0,a,1,2\n", USUAL, GTR_EFORMAT,
          "the.log:2: 4 fields, but the header has 3" },
        { "step,module,norm\n0,a\n1,a,1\n", USUAL, GTR_EFORMAT, "2 fields, but the header has 3" },
        { "step,a\n0,1\n1,oops\n", USUAL, GTR_EFORMAT, "the.log:3: a: \"oops\" is not a number" },
        { "step,loss,gnorm\n0,low,1\n", USUAL, GTR_EFORMAT, "loss: \"low\" is not a number" },
        { "step,module,norm\n0,\"a,1\n1,b,2\n", USUAL, GTR_EFORMAT,
          "the.log:2: a quote is opened here and never closed" },
        { "step,module,norm\n0,a,\x1b[31m\n", USUAL, GTR_EFORMAT,
          "norm: \"(bytes that are no text)\"" },
        { "\x1f\x8b\x08 zip\n", USUAL, GTR_EFORMAT, "the.log: compressed by gzip: gunzip it" },
        { "step,\x1f\n", USUAL, GTR_EFORMAT, "the.log:1: field 2 is no name of a column" },
        { "\x89HDF\r\n\x1a\n", USUAL, GTR_EFORMAT, "the.log: an HDF5 file; a trace needs no" },
        { "step,module,norm\n0,\"a\"b,1\n", USUAL, GTR_EFORMAT,
          "the.log:2: field 2 goes on after its closing quote" },
        { "step,module,norm\n0,a\x01,1\n", USUAL, GTR_EFORMAT, "byte 2 is a control character" },
        { "step,module,norm\n0,caf\xe9,1\n", USUAL, GTR_EFORMAT, "byte 4 is a control character" },
        { "step,module,norm\n0,\xed\xa0\x80,1\n", USUAL, GTR_EFORMAT, "not UTF-8" },
    };

    check_refusals(refusals, GTR_ARRAY_LEN(refusals));
}

static void bad_options_are_refused_with_the_nearest_name(void)
{
    static const char table[] = "it,tensor,l2norm\n0,a,1\n";
    static const struct refusal refusals[] = {
        { table, COLUMNS("stp=it"), GTR_EUSAGE, "--columns stp: must be one of step, name, norm" },
        { table, COLUMNS("stp=it"), GTR_EUSAGE, "did you mean step?" },
        { table, COLUMNS("step"), GTR_EUSAGE, "--columns step: write KEY=COLUMN" },
        { table, COLUMNS("step="), GTR_EUSAGE, "write KEY=COLUMN" },
        { table, COLUMNS("step=it,step=x"), GTR_EUSAGE, "--columns step: given twice (it and x)" },
        { table, COLUMNS("step=it,norm=l2norn"), GTR_EUSAGE,
          "the.log: --columns norm=l2norn: no such column; did you mean l2norm?" },
        { table, COLUMNS("step=it,name=zzzzzz,norm=l2norm"), GTR_EUSAGE,
          "no such column; there are it, tensor, l2norm" },
        { table, COLUMNS("norm=a,sumsq=b"), GTR_EUSAGE, "give norm= or sumsq=, not both" },
        { table, COLUMNS("series=a,name=b"), GTR_EUSAGE, "series= is for tables with a column" },
        { table, COLUMNS("step=it,series=x*"), GTR_EUSAGE, "no column matches x*; there are it" },
        { table, { .columns = "series=a*", .keys = "b*" }, GTR_EUSAGE, "--keys is given too" },
        { "it,a,l2norm\n0,1,1\n",
          { .columns = "step=it,norm=l2*", .keys = "b*" },
          GTR_EUSAGE,
          "--columns norm=l2*: --keys is given too" },
        { table, { .columns = "step=it", .keys = "a||b" }, GTR_EUSAGE, "an empty glob" },
        { "{\"step\":1}\n", COLUMNS("name=a"), GTR_EUSAGE, "--columns name=a: say norm=KEY too" },
    };

    check_refusals(refusals, GTR_ARRAY_LEN(refusals));
}

static void bad_json_is_refused_with_line_and_key(void)
{
    static const struct refusal refusals[] = {
        { "{\"step\":1,\"grad_norm/a\":1}\n{\"step\" 2}\n", USUAL, GTR_EFORMAT,
          "the.log:2: no object of JSON: byte 9: " },
        { "{\"step\":1}\n {\"step\":1,\n\"grad_norm/a\":1\n", USUAL, GTR_EFORMAT,
          "the.log:2: no object of JSON: byte 2: begins here and never ends" },
        { "{\"step\":1,\"grad_norm/a\\u0000b\":1}\n", USUAL, GTR_EFORMAT,
          "the.log:1: a key holds \\u0000" },
        { "{\"step\":1} 2\n", USUAL, GTR_EFORMAT, "byte 12: neither an object nor a list of" },
        { "[{\"step\":1}]\n", USUAL, GTR_EFORMAT, "the.log: no key of norms among step" },
        { "[[{\"step\":1}]]\n", COLUMNS("step=step"), GTR_EFORMAT, "no line has a gradient norm" },
        { "{\"step\":1,\"grad_norm/a\":1}\n7\n", USUAL, GTR_EFORMAT, "the.log:2: no object" },
        { "{\"grad_norm/a\":1}\n", USUAL, GTR_EFORMAT, "the.log:1: norms without a step" },
        { "{\"step\":1,\"grad_norm/a\":1}\n{\"_step\":2,\"grad_norm/a\":1}\n", USUAL, GTR_EFORMAT,
          "the.log:2: norms without a step: no key step" },
        { "{\"step\":1,\"grad_norm/a\":1}\n", COLUMNS("step=it"), GTR_EFORMAT, "no key it" },
        { "{\"step\":1.5,\"grad_norm/a\":1}\n", USUAL, GTR_EFORMAT,
          "the.log:1: step: 1.5 is not a whole step number" },
        { "{\"step\":1,\"grad_norm/a\":-2}\n", USUAL, GTR_EFORMAT,
          "the.log:1: grad_norm/a: -2 is negative" },
        { "{\"step\":1,\"grad_norm/a\":30000000000000000000000}\n", USUAL, GTR_EFORMAT,
          "grad_norm/a: a whole number too large" },
        { "{\"step\":1,\"loss\":2,\"acc\":3}\n", USUAL, GTR_EFORMAT,
          "the.log: no key of norms among step, loss, acc; name them: --keys GLOB" },
        { "{\"a\":\"b\"}\n", USUAL, GTR_EFORMAT, "the.log: no key has a number" },
        { "{\"step\":1,\"n\":1}\n", COLUMNS("name=m,norm=n"), GTR_EFORMAT,
          "no line has both m and a norm; keys with numbers: step, n" },
    };

    check_refusals(refusals, GTR_ARRAY_LEN(refusals));
}

static void bytes_that_are_no_text_are_refused(void)
{
    static const char utf16[] = "\xff\xfes\0t\0e\0p\0\n\0";
    static const char nul[] = "step,a\n0,1\n\0,2\n";
    struct gtr_err err = { 0 };
    struct gtr_log *log = NULL;

    CHECK(read_bytes(utf16, sizeof utf16 - 1, NULL, &log, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "the.log:1: holds a NUL byte");
    err = (struct gtr_err){ 0 };
    CHECK(read_bytes(nul, sizeof nul - 1, NULL, &log, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "the.log:3: holds a NUL byte");
}

/* Repeats `what` in the middle of a line that would otherwise be fine. */
static void check_long(const char *before, char what, size_t n, const char *after, const char *told)
{
    size_t size = strlen(before) + n + strlen(after);
    char *text = calloc(size + 1, 1);
    struct gtr_err err = { 0 };
    struct gtr_log *log = NULL;

    strcpy(text, before);
    memset(text + strlen(before), what, n);
    strcpy(text + strlen(before) + n, after);
    CHECK((read_bytes(text, size, NULL, &log, &err) == GTR_OK) == (told == NULL));
    CHECK_HOLDS(err.text, told != NULL ? told : "");
    gtr_log_free(log);
    free(text);
}

static void names_and_lines_have_a_longest(void)
{
    check_long("step,module,norm\n0,", 'a', 500, ",1\n", NULL);
    check_long("step,module,norm\n0,", 'a', 501, ",1\n", "the.log:2: a name of 501 bytes");
    check_long("{\"step\":1,\"grad_norm/", 'a', 490, "\":1}\n", NULL);
    check_long("{\"step\":1,\"grad_norm/a\":1,\"", 'a', 100000, "\":1}\n", NULL);
    check_long("{\"step\":1,\"grad_norm/a\":1,\"x\":\"", ' ', 17 << 20, "\"}\n",
               "the.log:1: object longer than 16 MiB");
}

/* --- robustness ------------------------------------------------------------------------------ */

static const char *const samples[] = {
    "step,module,norm\r\n0,\"q \"\"x\"\"\",1e0\r\n\r\n1,\"k,\n\",2\r\n0,k,3\n# end\n",
    "step;loss;grad_norm/a;grad_norm/b\n0;1;2;3\n1;;;nan\n",
    "{\"step\":1,\"grad_norm\":{\"q\":1,\"k\":NaN}}\n{\"step\":2,\"loss\":4,\"x\":[1,{}]}\n",
    "{\"a\":[1],\"log_history\":[\n{\"step\":1,\"grad_norm\":2},{\"step\":2}],\"max_steps\":9}\n",
    "0%|{'loss': '2', 'grad_norm': None}\n{'loss': 1, 'grad_norm': 0.5}\n",
    "x iteration 3/ 9 | lm loss: 2.5 | grad norm: 1.5 |\n iteration 4/ 9 | grad norm: nan |\n",
    "[step=1/9,epoch=0]\n    optim/total_grad_norm=1,231.5\n    train/CE loss=2\n",
    "s:1 trl:2 norm:3\ns:2 norm:1.5K\n",
};

/* Every beginning of a log is understood or refused; nothing crashes, and a failure leaves no
 * log. */
static void every_cut_of_a_log_is_understood_or_refused(void)
{
    size_t i, n;

    for (i = 0; i < GTR_ARRAY_LEN(samples); i++)
        for (n = 0; n <= strlen(samples[i]); n++) {
            struct gtr_err err = { 0 };
            struct gtr_log *log = NULL;
            enum gtr_code rc = read_bytes(samples[i], n, NULL, &log, &err);

            CHECK((rc == GTR_OK) == (log != NULL) && rc == err.code);
            gtr_log_free(log);
        }
}

/* Whichever allocation fails, the failure is told and nothing is left. */
static void running_out_of_memory_is_told(void)
{
    size_t i, n;

    for (i = 0; i < GTR_ARRAY_LEN(samples); i++)
        for (n = 1; n < 1000; n++) {
            struct gtr_err err = { 0 };
            struct gtr_log *log = NULL;
            enum gtr_code rc;

            gtr_alloc_fail_after(n);
            rc = read_bytes(samples[i], strlen(samples[i]), NULL, &log, &err);
            gtr_alloc_fail_after(0);
            gtr_log_free(log);
            if (rc != GTR_ENOMEM) {
                CHECK(i == 0 ? rc == GTR_EFORMAT : rc == GTR_OK);
                CHECK(n > 10);
                break;
            }
            CHECK(log == NULL);
        }
}

int main(void)
{
    RUN(bad_tables_are_refused_with_line_and_column);
    RUN(bad_options_are_refused_with_the_nearest_name);
    RUN(bad_json_is_refused_with_line_and_key);
    RUN(bytes_that_are_no_text_are_refused);
    RUN(names_and_lines_have_a_longest);
    RUN(every_cut_of_a_log_is_understood_or_refused);
    RUN(running_out_of_memory_is_told);
    return check_report();
}
