/* test_tell.c - names, shares and counts as people and programs get them (tools/kit). */
#define _GNU_SOURCE
#include "../check.h"

#include <stdlib.h>

#include "rows.h"
#include "tell.h"

/* What `put` writes of a text; free it. */
static char *written(void (*put)(FILE *f, const char *text), const char *text)
{
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);

    put(f, text);
    fclose(f);
    return out;
}

static void check_written(void (*put)(FILE *f, const char *text), const char *text,
                          const char *wanted)
{
    char *out = written(put, text);

    CHECK_TEXT(out, wanted);
    free(out);
}

static void people_see_no_control_character(void)
{
    check_written(tell_text, "wte", "wte");
    check_written(tell_text, "a\tb\nc\x1b[31m\x7f", "a?b?c?[31m?");
    check_written(tell_text, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
                  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    check_written(tell_text, "\xc2\x9b", "?");       /* U+009B opens a sequence too */
    check_written(tell_text, "\xe2\x80\xae", "?");   /* U+202E turns the direction */
    check_written(tell_text, "\xff\xc3", "??");      /* not UTF-8, and cut off */
    check_written(tell_text, "\xc0\x8a", "??");      /* a line end, spelled too long */
    check_written(tell_text, "\xed\xa0\x80", "???"); /* a surrogate */
}

static void programs_lose_nothing(void)
{
    check_written(gtr_text_escape, "wte", "wte");
    check_written(gtr_text_escape, "a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e");
    check_written(gtr_text_escape, "\x1b[1m\xc2\x9b\xff", "\\x1b[1m\\xc2\\x9b\\xff");
    check_written(gtr_text_escape, "caf\xc3\xa9", "caf\xc3\xa9");
}

static void shares_are_never_rounded_to_none_or_all(void)
{
    static const struct {
        double share;
        const char *text;
    } cases[] = { { 0.0, "0%" },          { 1.0, "100%" },      { 0.124, "12.4%" },
                  { 0.5, "50.0%" },       { 0.0034, "0.34%" },  { 0.00001, "<0.01%" },
                  { 0.9999999, "99.9%" }, { 0.00994, "0.99%" }, { 0.00999, "1.0%" },
                  { 2.5, "250.0%" },      { 123.4, "12340%" },  { (double)NAN, "-" } };
    char text[TELL_SIZE];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_TEXT(tell_share(cases[i].share, text), cases[i].text);
    CHECK_TEXT(tell_part(1, 3, text), "33.3%");
    CHECK_TEXT(tell_part(0, 0, text), "0%");
    CHECK_TEXT(tell_count(0, text), "0");
    CHECK_TEXT(tell_count(999, text), "999");
    CHECK_TEXT(tell_count(4718592, text), "4,718,592");
}

static void check_names(const char *const *names, size_t n, size_t most, const char *const *wanted)
{
    struct tell_names shown;
    size_t i;

    tell_names_make(&shown, names, n, 3, most);
    for (i = 0; i < n; i++)
        CHECK_TEXT(shown.text[i], wanted[i]);
    tell_names_free(&shown);
}

static void a_long_name_loses_its_middle(void)
{
    static const char *const names[] = { "wte", "abcdefghijklmnop" };
    static const char *const wanted[] = { "wte", "abcd..mnop" };

    check_names(names, 2, 10, wanted);
}

static void names_that_differ_stay_different(void)
{
    /* Half and half of ten letters would hide the digit: a wider column, less of the beginning. */
    static const char *const middle[] = { "abcdefg1hijklmn", "abcdefg2hijklmn" };
    static const char *const wanted[] = { "ab..1hijklmn", "ab..2hijklmn" };
    static const char *const ends[] = { "layers.0.self_attn.q_proj.weight",
                                        "layers.0.self_attn.k_proj.weight" };
    struct tell_names shown;

    check_names(middle, 2, 10, wanted);
    tell_names_make(&shown, ends, 2, 3, 20);
    CHECK(strcmp(shown.text[0], shown.text[1]) != 0);
    CHECK(shown.width < 32);
    tell_names_free(&shown);
}

static void names_that_only_look_alike_are_numbered(void)
{
    static const char *const names[] = { "a\tb", "a\nb", "c" };
    static const char *const wanted[] = { "a?b", "a?b~2", "c" };

    check_names(names, 3, 10, wanted);
}

static void letters_are_counted_and_never_cut(void)
{
    static const char *const names[] = {
        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
    };
    static const char *const wanted[] = { "\xc3\xa9\xc3\xa9..\xc3\xa9\xc3\xa9" };

    check_names(names, 1, 6, wanted);
}

static void put_table(FILE *f, bool json)
{
    struct rows rows;
    struct gtr_err err = { 0 };

    rows_open(&rows, f, json);
    rows_columns(&rows, "step group scale");
    rows_column(&rows, "from a\tb");
    rows_integer(&rows, 7);
    rows_text(&rows, "a\"\n\xff");
    rows_number(&rows, 0.5);
    rows_number(&rows, 1.0 / 0.0);
    rows_integer(&rows, 8);
    rows_text(&rows, "b");
    rows_number(&rows, 0.1);
    rows_number(&rows, 2);
    CHECK(rows_close(&rows, &err) == GTR_OK);
}

static void put_tsv(FILE *f, const char *unused)
{
    (void)unused;
    put_table(f, false);
}

static void put_json(FILE *f, const char *unused)
{
    (void)unused;
    put_table(f, true);
}

static void a_table_is_text_and_json_by_the_same_calls(void)
{
    check_written(put_tsv, "",
                  "step\tgroup\tscale\tfrom a\\tb\n"
                  "7\ta\"\\n\\xff\t0.5\tinf\n8\tb\t0.1\t2\n");
    check_written(put_json, "",
                  "[\n {\"step\": 7, \"group\": \"a\\\"\\n\xef\xbf\xbd\", \"scale\": 0.5, "
                  "\"from a\\tb\": null},\n"
                  " {\"step\": 8, \"group\": \"b\", \"scale\": 0.1, \"from a\\tb\": 2}\n]\n");
}

static void an_empty_table_has_its_head(void)
{
    struct rows rows;
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);

    rows_open(&rows, f, false);
    rows_columns(&rows, "a b");
    rows_close(&rows, NULL);
    rows_open(&rows, f, true);
    rows_columns(&rows, "a b");
    rows_close(&rows, NULL);
    fclose(f);
    CHECK_TEXT(out, "a\tb\n[]\n");
    free(out);
}

int main(void)
{
    RUN(people_see_no_control_character);
    RUN(programs_lose_nothing);
    RUN(shares_are_never_rounded_to_none_or_all);
    RUN(a_long_name_loses_its_middle);
    RUN(names_that_differ_stay_different);
    RUN(names_that_only_look_alike_are_numbered);
    RUN(letters_are_counted_and_never_cut);
    RUN(a_table_is_text_and_json_by_the_same_calls);
    RUN(an_empty_table_has_its_head);
    return check_report();
}
