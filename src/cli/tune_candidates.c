#include "cli/tune_candidates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "cli/onednn.h"

static const char variable[] = "ONEDNN_MAX_CPU_ISA";

void lq_tune_case_here(struct lq_tune_case *here, const char *path, bool ours)
{
    *here = (struct lq_tune_case){
        .ours = ours,
        .pair = ours,
        .quantised = lq_cli_is_quantised(path),
        .large = lq_cli_is_large(path),
        .bf16 = lq_cpu_has_bf16(),
        .f16 = lq_cpu_has_f16(),
        .amx = lq_cpu_has_amx(),
        .amx_f16 = lq_cpu_has_amx_f16(),
        .isa_set = getenv(variable) || getenv("DNNL_MAX_CPU_ISA"),
    };
}

struct list {
    const struct lq_tune_case *here;
    struct lq_tune_candidate *all;
    int count;
};

static void add(struct list *list, bool floats, enum lq_precision precision, const char *isa)
{
    struct lq_tune_candidate one = {.floats = floats, .precision = precision};
    if (!list->here->isa_set)
        snprintf(one.isa, sizeof one.isa, "%s", isa);
    for (int i = 0; i < list->count; i++)
        if (list->all[i].floats == floats && list->all[i].precision == precision &&
            strcmp(list->all[i].isa, one.isa) == 0)
            return; // the same candidate: the user's limit replaced this one's
    if (list->count < LQ_TUNE_CANDIDATES_MAX)
        list->all[list->count++] = one;
}

// AMX is slower for small int8 networks, and its newest part (AMX-FP16) alone may be slower too.
static void add_quantised(struct list *list)
{
    const struct lq_tune_case *here = list->here;
    if (here->amx && !here->large)
        add(list, false, LQ_PRECISION_F32, "AVX512_CORE_FP16");
    add(list, false, LQ_PRECISION_F32, "ALL");
    if (here->amx && here->large)
        add(list, false, LQ_PRECISION_F32, "AVX512_CORE_FP16");
    if (here->amx_f16)
        add(list, false, LQ_PRECISION_F32, "AVX512_CORE_AMX");
}

static void add_floats(struct list *list, bool floats)
{
    const struct lq_tune_case *here = list->here;
    add(list, floats, LQ_PRECISION_F32, "ALL");
    if (here->bf16)
        add(list, floats, LQ_PRECISION_BF16, "ALL");
    if (here->bf16 && here->amx_f16)
        add(list, floats, LQ_PRECISION_BF16, "AVX512_CORE_AMX");
    if (here->f16)
        add(list, floats, LQ_PRECISION_F16, "ALL");
    if (here->f16 && here->amx)
        add(list, floats, LQ_PRECISION_F16, "AVX512_CORE_FP16");
}

int lq_tune_candidates(const struct lq_tune_case *here, struct lq_tune_candidate *all)
{
    struct list list = {.here = here, .all = all};
    if (here->quantised)
        add_quantised(&list);
    if (here->pair || !here->quantised)
        add_floats(&list, here->pair);
    return list.count;
}

void lq_tune_candidate_name(const struct lq_tune_candidate *candidate, const char *path, char *text,
                            size_t size)
{
    const char *slash = strrchr(path, '/'), *isa = candidate->isa;
    snprintf(text, size, "%s, %s, %s", slash ? slash + 1 : path,
             lq_precision_name(candidate->precision),
             !*isa ? "your cap" : strcmp(isa, "ALL") == 0 ? "no cap" : isa);
}

void lq_tune_candidate_cap(const struct lq_tune_candidate *candidate)
{
    if (*candidate->isa)
        setenv(variable, candidate->isa, 1);
}
