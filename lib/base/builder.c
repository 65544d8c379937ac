/* builder.c - a buffer that doubles. */
#include "builder.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

static void add_bytes(struct gtr_builder *b, const char *bytes, size_t n)
{
    if (b->failed)
        return;
    if (gtr_grow(&b->text, &b->capacity, b->length + n + 1, 1, NULL) != GTR_OK) {
        b->failed = true;
        return;
    }
    memcpy(b->text + b->length, bytes, n);
    b->length += n;
    b->text[b->length] = '\0';
}

void gtr_builder_add(struct gtr_builder *b, const char *text)
{
    add_bytes(b, text, strlen(text));
}

void gtr_builder_char(struct gtr_builder *b, char c)
{
    add_bytes(b, &c, 1);
}

void gtr_builder_number(struct gtr_builder *b, double value)
{
    char digits[GTR_NUMBER_SIZE];

    add_bytes(b, digits, gtr_text_print(value, digits));
}

void gtr_builder_count(struct gtr_builder *b, uint64_t count)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    gtr_builder_add(b, digits);
}

void gtr_builder_clear(struct gtr_builder *b)
{
    b->length = 0;
    if (b->text != NULL)
        b->text[0] = '\0';
}

char *gtr_builder_take(struct gtr_builder *b)
{
    char *text;

    add_bytes(b, "", 0);
    text = b->failed ? NULL : b->text;
    if (b->failed)
        gtr_free(b->text);
    *b = (struct gtr_builder){ 0 };
    return text;
}

void gtr_builder_free(struct gtr_builder *b)
{
    gtr_free(b->text);
    *b = (struct gtr_builder){ 0 };
}
