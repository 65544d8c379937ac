/* formats.c - all formats of logs. */
#include "formats.h"

#include "alloc.h"

/* Consoles are asked in this order: the more a format demands of a line, the earlier. */
/* clang-format off */
const struct gtr_log_format gtr_log_formats[] = {
    { "csv",           gtr_log_read_table,    NULL,               NULL,    false, false },
    { "tsv",           gtr_log_read_table,    NULL,               NULL,    false, false },
    { "jsonl",         gtr_log_read_json,     NULL,               NULL,    false, false },
    { "trainer_state", gtr_log_read_json,     NULL,               NULL,    false, false },
    { "tfevents",      gtr_log_read_tfevents, NULL,               NULL,    false, false },
    { "trainer",       gtr_log_read_console,  gtr_cut_dictionary, NULL,    true,  false },
    { "megatron",      gtr_log_read_console,  gtr_cut_bars,       NULL,    false, false },
    { "torchtitan",    gtr_log_read_console,  gtr_cut_words,      NULL,    false, false },
    { "llm.c",         gtr_log_read_console,  gtr_cut_llmc,       "norm",  false, false },
    { "fairseq",       gtr_log_read_console,  gtr_cut_fairseq,    "gnorm", false, false },
    { "mmengine",      gtr_log_read_console,  gtr_cut_epochs,     NULL,    false, false },
    { "olmo",          gtr_log_read_console,  gtr_cut_block,      NULL,    false, true },
    { "composer",      gtr_log_read_console,  gtr_cut_composer,   NULL,    false, true },
    { "pattern",       gtr_log_read_console,  NULL,               NULL,    false, false },
};
/* clang-format on */

const size_t gtr_log_n_formats = GTR_ARRAY_LEN(gtr_log_formats);

const char *gtr_log_format_name(size_t i)
{
    return i < gtr_log_n_formats ? gtr_log_formats[i].name : NULL;
}
