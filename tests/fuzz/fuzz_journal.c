/* fuzz_journal.c - any bytes as a journal: rows, or a reason.
 *
 * The property: a journal that is read has rows in order, whose values can be read; one that is
 * refused says why and names the file; what reads strictly reads the same when salvaging.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static struct gtr_journal *read_bytes(const uint8_t *data, size_t size, bool salvage)
{
    unsigned char *bytes = gtr_alloc(size, 1);
    struct gtr_journal *journal = NULL;
    struct gtr_err err = { 0 };

    memcpy(bytes, data, size);
    if (gtr_journal_read("a.journal", bytes, size, salvage, &journal, &err) != GTR_OK)
        must(strstr(err.text, "a.journal: ") == err.text);
    return journal;
}

static void read_values(const struct gtr_journal *journal)
{
    double *values = gtr_alloc(journal->head.n_tensors, sizeof *values);
    size_t r;
    int norm;

    for (r = 0; r < journal->n_rows; r++) {
        must(r == 0 || (journal->rows[r].number > journal->rows[r - 1].number &&
                        journal->rows[r].step.index > journal->rows[r - 1].step.index));
        for (norm = 0; norm < GTR_NORM_COUNT; norm++)
            gtr_journal_values(journal, r, (enum gtr_norm)norm, values);
    }
    gtr_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gtr_journal *strict = read_bytes(data, size, false);
    struct gtr_journal *salvaged = read_bytes(data, size, true);

    must(strict == NULL || salvaged != NULL);
    if (salvaged != NULL)
        read_values(salvaged);
    if (strict != NULL)
        must(strict->n_rows == salvaged->n_rows && salvaged->n_altered == 0);
    gtr_journal_free(strict);
    gtr_journal_free(salvaged);
    return 0;
}
