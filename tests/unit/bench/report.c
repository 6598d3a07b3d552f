// The table that `lacquer bench` prints.
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static void a_row_of_the_page_counts_detections(void **state)
{
    (void)state;
    static struct lq_bench_report report = {.commit = "unknown", .row_count = 1};
    report.rows[0] = (struct lq_bench_row){
        .id = "page-wasm", .name = "in the page", .wanted = true, .measured = true,
        .page = {.present = true, .display_fps = 30, .thread_ms = 8.5, .finder_fps = 12.1,
                 .bytes = 4.7e6}};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    lq_bench_report_print(&report, out);
    fclose(out);
    assert_non_null(strstr(text, "30 pictures a second, 8.5 ms of the page's thread each; "
                                 "12.1 detections a second with nothing shown; 4.7 MB once"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_the_page_counts_detections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
