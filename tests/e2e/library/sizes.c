/* What the Python package must agree with, a line a number. */
#include <lacquer.h>

#include <stdio.h>

#define SIZE(name) printf(#name " %zu\n", sizeof(struct lacquer_##name))
#define AT(name, member)                                                                          \
    printf(#name "." #member " %zu\n", offsetof(struct lacquer_##name, member))

int main(void)
{
    SIZE(options), SIZE(box), SIZE(nail), SIZE(request), SIZE(response), SIZE(image);
    AT(options, confidence_min), AT(options, server_timeout_ms);
    AT(box, height), AT(nail, box), AT(nail, width), AT(nail, alpha), AT(nail, finger);
    AT(request, flags), AT(request, timeout_ms), AT(response, bytes), AT(response, total_us);
    AT(image, format);
    return 0;
}
