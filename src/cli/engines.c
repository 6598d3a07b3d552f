// lacquer engines: which engines this machine can run, and why not the others.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/cpu.h"
#include "cli/cli.h"
#include "cli/tune_choice.h"
#include "engine/engine.h"

struct engines {
    bool json;
};

static const struct lq_cli_option options[] = {
    {"json", NULL, "Print JSON", 1, LQ_CLI_TAKE_ON(struct engines, json)}, {0}};


// The processor's features beyond the minimum that Lacquer needs; empty: none.
static const char *features(void)
{
    static char text[128];
    struct {
        const char *name;
        int has;
    } known[] = {
#if defined(__x86_64__)
        {"sse4.2", __builtin_cpu_supports("sse4.2")},
        {"avx2", __builtin_cpu_supports("avx2")},
        {"fma", __builtin_cpu_supports("fma")},
        {"avx512f", __builtin_cpu_supports("avx512f")},
        {"avx512vnni", __builtin_cpu_supports("avx512vnni")},
        {"bf16", lq_cpu_has_bf16()},
        {"amx", lq_cpu_has_amx()},
#elif defined(__aarch64__)
        {"neon", (getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0},
        {"fp16", (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0},
        {"dotprod", (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0},
        {"sve", (getauxval(AT_HWCAP) & HWCAP_SVE) != 0},
        {"i8mm", (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0},
        {"bf16", (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0},
#endif
    };
    text[0] = '\0';
    for (size_t i = 0; i < LQ_COUNT(known); i++) {
        size_t len = strlen(text);
        if (known[i].has)
            snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "", known[i].name);
    }
    return text;
}

// Describes the fastest way found by `lacquer tune` for the default model here; false: it has not
// been run.
static bool tuned(char *text, size_t size)
{
    struct lq_cli_model config;
    struct lq_tune_choice choice;
    lq_cli_model_init(&config);
    if (!lq_tune_choice_read(lq_cli_model_cache(&config), lq_tune_key(&config), &choice))
        return false;
    lq_tune_candidate_name(&choice.candidate, choice.candidate.floats ? lq_model_float_path()
                                                                      : lq_model_default_path(),
                           text, size);
    return true;
}

static void print_part(void *context, const char *name, bool there, const char *detail)
{
    (void)context;
    printf("%-11s      %-4s %-36s %s\n", "", there ? "has" : "no", name, detail);
}

static void print_text(void)
{
    static const struct lq_engine_parts parts = {print_part, NULL};
    for (int i = 0; lq_engines[i]; i++) {
        struct lq_error err = {0};
        bool runs = lq_engines[i]->probe(NULL, &err) == LQ_OK;
        printf("%-11s %-4s %s\n", lq_engines[i]->name, runs ? "yes" : "no",
               lq_engines[i]->summary);
        if (!runs || lq_engines[i]->probe(&parts, &err) != LQ_OK)
            printf("%-11s      %s\n", "", err.text);
    }
    char why[1200];
    const char *has = features();
    lq_cpu_explain(why, sizeof why);
    printf("processor   %d cores, %s\n", lq_cpu_count(), *has ? has : "no special features");
    printf("%-11s %s\n", "", why);
    printf("%-11s %s\n", "tuned",
           tuned(why, sizeof why) ? why : "not yet: `lacquer tune` finds the fastest way here");
}

static void add_part(void *context, const char *name, bool there, const char *detail)
{
    json_array_append_new(context, json_pack("{s:s, s:b, s:s}", "name", name, "available", there,
                                             "detail", detail));
}

static void print_json(void)
{
    json_t *engines = json_array();
    for (int i = 0; lq_engines[i]; i++) {
        struct lq_error err = {0};
        json_t *parts = json_array();
        bool runs =
            lq_engines[i]->probe(&(struct lq_engine_parts){add_part, parts}, &err) == LQ_OK;
        json_array_append_new(engines,
                              json_pack("{s:s, s:s, s:b, s:s?, s:o}", "name", lq_engines[i]->name,
                                        "summary", lq_engines[i]->summary, "available", runs,
                                        "reason", runs ? NULL : err.text, "parts", parts));
    }
    char why[1200];
    lq_cpu_explain(why, sizeof why);
    char way[128];
    json_t *root = json_pack("{s:o, s:i, s:s, s:s, s:b, s:s?}", "engines", engines, "cores",
                             lq_cpu_count(), "cores_from", why, "features", features(), "bf16",
                             lq_cpu_has_bf16(), "tuned", tuned(way, sizeof way) ? way : NULL);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int run_command(int argc, char **argv)
{
    struct engines engines = {0};
    lq_cli_parse(&lq_engines_command.line, argc, argv, &engines);
    if (engines.json)
        print_json();
    else
        print_text();
    return LQ_EXIT_OK;
}

const struct lq_command lq_engines_command = {
    "engines", "list the inference engines, and why one cannot run here", run_command,
    {.options = options,
     .doc = "Lists the inference engines of this build, whether each can run here or why not, and "
            "the features of the processor that they use."}};
