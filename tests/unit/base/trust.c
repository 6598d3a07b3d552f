#include "base/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

static char root[] = "/tmp/lacquer-trust-XXXXXX";
static struct lq_error err;

static const char *at(const char *name)
{
    static char text[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(text[turn], sizeof text[turn], "%s/%s", root, name);
    return text[turn];
}

// Creates a/b/c, all owned by this user.
static int make_folders(void **state)
{
    (void)state;
    strcpy(strrchr(root, '-'), "-XXXXXX");
    umask(022);
    return mkdtemp(root) && mkdir(at("a"), 0755) == 0 && mkdir(at("a/b"), 0755) == 0 &&
                   mkdir(at("a/b/c"), 0700) == 0
               ? 0
               : -1;
}

static int remove_folders(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", root, root);
    return system(command);
}

static int trust(const char *name, unsigned flags)
{
    err.text[0] = 0;
    return lq_trust_path(at(name), geteuid(), flags, &err);
}

static void trusts_ones_own_below_a_sticky_folder(void **state)
{
    (void)state;
    assert_ok(trust("a/b/c", 0)); // everybody may write to /tmp, but it has the sticky bit
    assert_ok(trust("a/./b/../b//c/", 0));
    assert_int_equal(trust("a/b/none", 0), LQ_ERR_IO);
    assert_ok(trust("a/b/none/at/all", LQ_TRUST_MISSING));
    assert_ok(lq_trust_path("/usr/lib", geteuid(), 0, &err));
    // but not as the last part of the path
    assert_int_equal(lq_trust_path("/tmp", geteuid(), 0, &err), LQ_ERR_AUTH);
}

static void a_relative_path_is_one_of_the_working_folder(void **state)
{
    (void)state;
    char before[256];
    assert_non_null(getcwd(before, sizeof before));
    assert_ok(chdir(at("a")));
    assert_ok(lq_trust_path("b/c", geteuid(), 0, &err));
    assert_ok(chmod(at("a"), 0777));
    assert_int_equal(lq_trust_path("b/c", geteuid(), 0, &err), LQ_ERR_AUTH);
    assert_ok(chdir(before));
}

static void what_others_may_write_in_is_named(void **state)
{
    (void)state;
    static const mode_t modes[] = {0777, 0757, 0775, 0722, 0702, 0720};
    static const char *const folders[] = {"a", "a/b", "a/b/c"};
    for (size_t f = 0; f < LQ_COUNT(folders); f++)
        for (size_t m = 0; m < LQ_COUNT(modes); m++) {
            struct stat info;
            assert_ok(stat(at(folders[f]), &info));
            assert_ok(chmod(at(folders[f]), modes[m]));
            assert_int_equal(trust("a/b/c", 0), LQ_ERR_AUTH);
            assert_non_null(strstr(err.text, at(folders[f])));
            assert_non_null(strstr(err.text, "other users may write"));
            assert_int_equal(trust("a/b/c", LQ_TRUST_GROUP) == LQ_OK, !(modes[m] & 02));
            // A file created there would be as unprotected.
            assert_int_equal(trust("a/b/c/new", LQ_TRUST_MISSING), LQ_ERR_AUTH);
            assert_ok(chmod(at(folders[f]), info.st_mode & 07777));
        }
    assert_ok(chmod(at("a/b"), 01777));
    assert_ok(trust("a/b/c", 0));
    assert_ok(chmod(at("a/b/c"), 01777));
    assert_int_equal(trust("a/b/c", 0), LQ_ERR_AUTH);
}

static void links_are_followed_and_checked(void **state)
{
    (void)state;
    assert_ok(symlink("a/b", at("near")));
    assert_ok(symlink(at("a"), at("far")));
    assert_ok(symlink("../../near", at("a/b/back")));
    assert_ok(symlink("round", at("round")));
    assert_ok(trust("near/c", 0));
    assert_ok(trust("far/b/back/c", 0));
    assert_int_equal(trust("round", 0), LQ_ERR_IO);
    // A link whose target passes through a folder to which everybody may write.
    assert_ok(mkdir(at("open"), 0777));
    assert_ok(chmod(at("open"), 0777));
    assert_ok(symlink(at("a/b/c"), at("open/hop")));
    assert_ok(symlink("open/hop", at("via")));
    assert_int_equal(trust("via", 0), LQ_ERR_AUTH);
    assert_non_null(strstr(err.text, "/open'"));
}

static void what_belongs_to_another_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    static const char *const parts[] = {"a", "a/b", "a/b/c"};
    for (size_t i = 0; i < LQ_COUNT(parts); i++) {
        assert_ok(chown(at(parts[i]), 65534, 65534));
        assert_int_equal(trust("a/b/c", LQ_TRUST_GROUP), LQ_ERR_AUTH);
        assert_non_null(strstr(err.text, "belongs to another user (65534)"));
        assert_ok(lq_trust_path(at("a/b/c"), 65534, 0, &err));
        assert_ok(chown(at(parts[i]), 0, 0));
    }
    // Anybody may put a link into a folder like /tmp.
    assert_ok(chmod(root, 01777));
    assert_ok(symlink("a/b/c", at("theirs")));
    assert_ok(lchown(at("theirs"), 65534, 65534));
    assert_int_equal(trust("theirs", 0), LQ_ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(trusts_ones_own_below_a_sticky_folder, make_folders,
                                        remove_folders),
        cmocka_unit_test_setup_teardown(a_relative_path_is_one_of_the_working_folder, make_folders,
                                        remove_folders),
        cmocka_unit_test_setup_teardown(what_others_may_write_in_is_named, make_folders,
                                        remove_folders),
        cmocka_unit_test_setup_teardown(links_are_followed_and_checked, make_folders,
                                        remove_folders),
        cmocka_unit_test_setup_teardown(what_belongs_to_another_is_named, make_folders,
                                        remove_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
