#include "engine/list.h"

#include <stdio.h>
#include <string.h>

const struct lq_engine_ops *const lq_engines[] = {&lq_engine_openvino, &lq_engine_onnxruntime,
                                                  &lq_engine_triton, &lq_engine_replay, NULL};

const struct lq_engine_ops *lq_engine_find(const char *name, struct lq_error *err)
{
    char known[256] = "";
    for (int i = 0; lq_engines[i]; i++) {
        if (strcmp(lq_engines[i]->name, name) == 0)
            return lq_engines[i];
        size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "", lq_engines[i]->name);
    }
    lq_fail(err, LQ_ERR_ARGUMENT, "unknown engine '%.40s': this build has %s", name, known);
    return NULL;
}
