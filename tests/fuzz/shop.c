// A shop's product export: the CSV reader, headers, prices, article numbers, colours and names.
#include "paint/shop.h"

#include <string.h>

#include "fuzz/fuzz.h"

static void report(void *context, int line, const char *text)
{
    (void)context;
    FUZZ_CHECK(line >= 1 && strlen(text) < 1024);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct lq_catalogue *catalogue;
    struct lq_error error;
    if (!catalogue && lq_catalogue_open(&catalogue, NULL, &error) != LQ_OK)
        abort();
    struct lq_shop shop = {
        .catalogue = catalogue, .site = "https://shop.example", .report = report};
    int status = lq_shop_read(&shop, bytes, len, &error);
    FUZZ_CHECK(status <= 0 && shop.count <= LQ_SHADES_MAX);
    for (int i = 0; i < shop.count; i++) {
        const struct lq_shade_name *shade = &shop.shades[i];
        FUZZ_CHECK(*shade->name && strlen(shade->name) < LQ_LOOK_NAME_MAX);
        FUZZ_CHECK(shade->offer.stock >= -1);
        fuzz_touch(shade, sizeof *shade);
        for (int k = 0; k < i; k++)
            FUZZ_CHECK(strcmp(shop.shades[k].name, shade->name) != 0);
    }
    lq_shop_release(&shop);
    return 0;
}
