// Custom operators, which are not in the schema: MediaPipe's, and the post-processing of SSD
// detectors.
#include <string.h>

#include "convert/lower.h"

void lq_lower_custom(struct lq_lower *low)
{
    if (low->op->custom && strcmp(low->op->custom, "Convolution2DTransposeBias") == 0)
        lq_lower_transpose_conv_bias(low);
    else if (low->op->custom && strcmp(low->op->custom, "TFLite_Detection_PostProcess") == 0)
        lq_lower_detection(low);
    else
        lq_graph_fail(low->graph, LQ_ERR_FORMAT, "this operator is not supported");
}
