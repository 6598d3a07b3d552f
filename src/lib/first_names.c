// The functions of the first version of include/lacquer.h, implemented by the current ones.
#include "lib/library.h"

static void give_nails(const struct lacquer_response *response, const struct lacquer_nail **nails,
                       int *count)
{
    if (nails)
        *nails = response->nails;
    if (count)
        *count = response->nail_count;
}

LQ_PUBLIC int lacquer_frame(struct lacquer *context, uint8_t *pixels, int width, int height,
                            int channels, size_t stride, const struct lacquer_look *look,
                            const struct lacquer_nail **nails, int *count)
{
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    struct lacquer_image image = {pixels, width, height, stride,
                                  channels == 4 ? LACQUER_RGBA : LACQUER_RGB};
    if (channels != 3 && channels != 4)
        image.pixels = NULL; // is rejected, with a text that lists what is accepted
    request.look = look;
    int code = lacquer_process_pixels(context, &request, &image, &response);
    if (code == LACQUER_OK)
        give_nails(&response, nails, count);
    return code;
}

LQ_PUBLIC int lacquer_file(struct lacquer *context, const void *bytes, size_t len,
                           const struct lacquer_look *look, int quality, const uint8_t **out,
                           size_t *out_len, const struct lacquer_nail **nails, int *count)
{
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    bool usable = look && out && out_len && quality >= 1;
    request.look = look;
    request.flags = LACQUER_MULTI_SCALE | LACQUER_FIND_HANDS;
    request.quality = usable ? quality : -1; // -1 is rejected
    int code = lacquer_process_file(context, &request, bytes, len, &response);
    if (code != LACQUER_OK)
        return code;
    *out = response.bytes;
    *out_len = response.bytes_len;
    give_nails(&response, nails, count);
    return LACQUER_OK;
}
