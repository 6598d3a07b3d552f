#include "cli/tune_choice.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/openvino_cache.h"
#include "engine/verdict.h"

enum { TEXT_MAX = 512 };

uint64_t lq_tune_key(const struct lq_cli_model *config)
{
    char how[96];
    const char *path = config->path ? config->float_path : lq_model_float_path();
    uint64_t floats = *path ? lq_verdict_key(path, "tune") : 1;
    snprintf(how, sizeof how, "tune 1, %d cores, %016" PRIx64, lq_cpu_count(), floats);
    return lq_verdict_key(config->path ? config->path : lq_model_default_path(), how);
}

static bool name_file(char *path, size_t size, const char *cache_dir, uint64_t key)
{
    return cache_dir && key &&
           snprintf(path, size, "%s/tuned-%016" PRIx64, cache_dir, key) < (int)size;
}

static enum lq_precision precision_of(const char *name)
{
    for (int i = LQ_PRECISION_F32; i < LQ_PRECISION_COUNT; i++)
        if (strcmp(name, lq_precision_name((enum lq_precision)i)) == 0)
            return (enum lq_precision)i;
    return LQ_PRECISION_AUTO;
}

// The checksum covers everything before its own line.
static bool parse(const char *text, struct lq_tune_choice *choice)
{
    char file[8], precision[8], isa[LQ_TUNE_ISA_MAX], threads[8];
    uint64_t sum = 0;
    const char *last = strstr(text, "\nsum ");
    *choice = (struct lq_tune_choice){0};
    if (!last || sscanf(last, "\nsum %16" SCNx64, &sum) != 1 ||
        sum != lq_openvino_checksum(text, (size_t)(last - text)) ||
        sscanf(text, "lacquer tune 1\nfile %7s\nprecision %7s\nisa %23s\nthreads %7s\nalone_ms %lf"
               "\nside_fps %lf", file, precision, isa, threads, &choice->alone_ms,
               &choice->side_fps) != 6)
        return false;
    choice->candidate.floats = strcmp(file, "float") == 0;
    choice->candidate.precision = precision_of(precision);
    choice->one_core = strcmp(threads, "one") == 0;
    if (strcmp(isa, "-") != 0)
        snprintf(choice->candidate.isa, sizeof choice->candidate.isa, "%s", isa);
    return choice->candidate.precision != LQ_PRECISION_AUTO;
}

bool lq_tune_choice_read(const char *cache_dir, uint64_t key, struct lq_tune_choice *choice)
{
    char path[PATH_MAX], text[TEXT_MAX + 1];
    FILE *file = name_file(path, sizeof path, cache_dir, key) ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    size_t len = fread(text, 1, TEXT_MAX, file);
    fclose(file);
    text[len] = '\0';
    if (parse(text, choice))
        return true;
    lq_log_warn("the saved result of `lacquer tune` is damaged and is thrown away: '%s'%s", path,
                unlink(path) == 0 ? "" : " (it cannot be removed)");
    return false;
}

int lq_tune_choice_write(const char *cache_dir, uint64_t key, const struct lq_tune_choice *choice,
                         struct lq_error *err)
{
    char path[PATH_MAX], text[TEXT_MAX];
    const struct lq_tune_candidate *candidate = &choice->candidate;
    if (!name_file(path, sizeof path, cache_dir, key))
        return lq_fail(err, LQ_ERR_IO, "cannot save the result: there is no writable folder for "
                                       "it; name one with --cache-dir");
    int len = snprintf(text, sizeof text,
                       "lacquer tune 1\nfile %s\nprecision %s\nisa %s\nthreads %s\nalone_ms %.3f\n"
                       "side_fps %.3f", candidate->floats ? "float" : "named",
                       lq_precision_name(candidate->precision),
                       *candidate->isa ? candidate->isa : "-", choice->one_core ? "one" : "all",
                       choice->alone_ms, choice->side_fps);
    len += snprintf(text + len, sizeof text - (size_t)len, "\nsum %016" PRIx64 "\n",
                    lq_openvino_checksum(text, (size_t)len));
    return lq_file_write(path, text, (size_t)len, err);
}

bool lq_tune_is_open(const struct lq_cli_model *config)
{
    const struct lq_model_options *options = &config->options;
    const char *off = getenv("LACQUER_TUNE");
    if (off && strcmp(off, "off") == 0)
        return false;
    size_t len = config->path ? strlen(config->path) : 0;
    bool recorded = len > 7 && strcmp(config->path + len - 7, ".replay") == 0;
    bool here = options->engine ? strcmp(options->engine, "openvino") == 0 : !recorded;
    return here && options->remote.url_count == 0 && options->precision == LQ_PRECISION_AUTO &&
           options->threads == 0;
}

void lq_tune_choice_use(const struct lq_tune_choice *choice, struct lq_cli_model *config)
{
    struct lq_model_options *options = &config->options;
    if (choice->candidate.floats) {
        config->path = config->path ? config->float_path : lq_model_float_path();
        config->converted = false; // it was timed unconverted
    }
    options->precision = choice->candidate.precision;
    if (choice->one_core && !config->tune_named) {
        if (options->tune == LQ_TUNE_LATENCY)
            options->threads = 1;
        else
            options->tune = LQ_TUNE_THROUGHPUT;
    }
    lq_tune_candidate_cap(&choice->candidate);
}

bool lq_tune_take(struct lq_cli_model *config)
{
    struct lq_tune_choice choice;
    char name[128];
    lq_cli_model_find_float(config);
    if (!lq_tune_is_open(config) ||
        !lq_tune_choice_read(lq_cli_model_cache(config), lq_tune_key(config), &choice))
        return false;
    lq_tune_choice_use(&choice, config);
    lq_tune_candidate_name(&choice.candidate, config->path ? config->path : lq_model_default_path(),
                           name, sizeof name);
    lq_log_debug("computing as `lacquer tune` found fastest here: %s", name);
    return true;
}
