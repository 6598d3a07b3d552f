// Operators that are no part of the schema: MediaPipe's, so far.
#include <string.h>

#include "convert/lower.h"

void lq_lower_custom(struct lq_lower *low)
{
    if (low->op->custom && strcmp(low->op->custom, "Convolution2DTransposeBias") == 0)
        lq_lower_transpose_conv_bias(low);
    else
        lq_graph_fail(low->graph, LQ_ERR_FORMAT, "this operator is not supported");
}
