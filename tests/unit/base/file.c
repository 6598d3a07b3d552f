#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

static char folder[] = "/tmp/lacquer-file-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/data", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void writes_and_reads_back(void **state)
{
    (void)state;
    struct lq_buf buf;
    struct lq_error err;
    lq_buf_init(&buf, 5);
    assert_ok(lq_file_write(path, "old", 3, &err));
    assert_ok(lq_file_write(path, "hello", 5, &err));
    assert_ok(lq_file_read(path, &buf, &err)); // exactly the maximum
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "hello", 5);
    struct stat info;
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
    lq_buf_release(&buf);
}

static void refuses_a_longer_file(void **state)
{
    (void)state;
    struct lq_buf buf;
    struct lq_error err;
    lq_buf_init(&buf, 4);
    assert_ok(lq_file_write(path, "hello", 5, &err));
    assert_int_equal(lq_file_read(path, &buf, &err), LQ_ERR_TOO_LARGE);
    assert_non_null(strstr(err.text, "larger than 4 bytes"));
    assert_int_equal(buf.cap, 0); // rejected by its size: nothing was read
    int ends[2]; // a pipe has no size
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    assert_int_equal(lq_file_read_from(ends[0], "pipe", &buf, &err), LQ_ERR_TOO_LARGE);
    assert_string_equal(err.text, "'pipe' is larger than 4 bytes");
    close(ends[0]);
    close(ends[1]);
    lq_buf_release(&buf);
}

static void says_what_is_missing(void **state)
{
    (void)state;
    struct lq_buf buf;
    struct lq_error err;
    lq_buf_init(&buf, 4);
    assert_int_equal(lq_file_read("/no/such/file", &buf, &err), LQ_ERR_IO);
    assert_string_equal(err.text, "cannot open '/no/such/file': No such file or directory");
    assert_int_equal(lq_file_write("/no/such/file", "x", 1, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "cannot write '/no/such/file'"));
    lq_buf_release(&buf);
}

static void maps_regular_files_alone(void **state)
{
    (void)state;
    size_t len = 7;
    const void *bytes = lq_file_map("/proc/self/exe", &len);
    assert_non_null(bytes);
    assert_memory_equal(bytes, "\177ELF", 4);
    lq_file_unmap(bytes, len);
    for (int i = 0; i < 2; i++) {
        assert_null(lq_file_map(i ? "/" : "/no/such/file", &len));
        assert_int_equal(len, 0);
        lq_file_unmap(NULL, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(refuses_a_longer_file),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(maps_regular_files_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
