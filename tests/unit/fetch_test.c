/* Which addresses documents may come from, and which paths are plain. */
#include "lib/cmocka.h"

#include <arpa/inet.h>
#include <string.h>

#include "workers/fetch/parts.h"

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_storage address = {0};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&address, &in, sizeof(in));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(&address, &in6, sizeof(in6));
    }
    return address_is_public((const struct sockaddr *)&address);
}

static void addresses_of_the_internet_are_public(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "1.1.1.1",        "8.8.8.8",         "9.255.255.255",    "11.0.0.0",
        "100.63.255.255", "100.128.0.0",     "126.1.1.1",        "172.15.255.255",
        "172.32.0.0",     "192.167.255.255", "192.169.0.0",      "223.255.255.255",
        "2606:4700::1",   "2a00:1450::2",    "64:ff9b::808:808", "2002:808:808::1"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        if (!is_public(addresses[i])) {
            fail_msg("%s is public", addresses[i]);
        }
    }
}

static void all_other_addresses_are_not(void **state)
{
    (void)state;
    static const char *const addresses[] = {"0.0.0.0",
                                            "10.0.0.1",
                                            "10.255.255.255",
                                            "100.64.0.1",
                                            "100.127.255.255",
                                            "127.0.0.1",
                                            "127.255.255.255",
                                            "169.254.169.254",
                                            "172.16.0.1",
                                            "172.31.255.255",
                                            "192.0.0.8",
                                            "192.0.2.1",
                                            "192.88.99.1",
                                            "192.168.0.1",
                                            "198.18.0.1",
                                            "198.19.255.255",
                                            "198.51.100.7",
                                            "203.0.113.7",
                                            "224.0.0.1",
                                            "239.255.255.255",
                                            "240.0.0.1",
                                            "255.255.255.255",
                                            "::",
                                            "::1",
                                            "::ffff:10.0.0.1",
                                            "::ffff:7f00:1",
                                            "64:ff9b::a00:1",
                                            "2002:7f00:1::1",
                                            "2001:db8::1",
                                            "2001::1",
                                            "fe80::1",
                                            "fc00::1",
                                            "fd12:3456::1",
                                            "fec0::1",
                                            "ff02::1",
                                            "::127.0.0.1",
                                            "100::1",
                                            "64:ff9b:1::1"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        if (is_public(addresses[i])) {
            fail_msg("%s is not public", addresses[i]);
        }
    }
}

static void other_families_are_not_public(void **state)
{
    (void)state;
    const struct sockaddr_storage address = {.ss_family = AF_UNIX};
    assert_false(address_is_public((const struct sockaddr *)&address));
}

static void plain_paths_have_no_odd_parts(void **state)
{
    (void)state;
    assert_true(fetch_path_is_plain(STR("a")));
    assert_true(fetch_path_is_plain(STR("a/b.json")));
    assert_true(fetch_path_is_plain(STR("a/..b/c..")));
    assert_false(fetch_path_is_plain(STR("")));
    assert_false(fetch_path_is_plain(STR("/a")));
    assert_false(fetch_path_is_plain(STR("a/")));
    assert_false(fetch_path_is_plain(STR("a//b")));
    assert_false(fetch_path_is_plain(STR("a/../b")));
    assert_false(fetch_path_is_plain(STR("..")));
    assert_false(fetch_path_is_plain(STR("./a")));
    assert_false(fetch_path_is_plain(STR("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_internet_are_public),
        cmocka_unit_test(all_other_addresses_are_not),
        cmocka_unit_test(other_families_are_not_public),
        cmocka_unit_test(plain_paths_have_no_odd_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
