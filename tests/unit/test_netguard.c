/* Private addresses: both edges of every range, and every way to wrap one. */
#include "daemon/netguard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static bool is_private(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return kns_netguard_is_private((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return kns_netguard_is_private((struct sockaddr *)&in6);
}

static void assert_each(const char *const *addresses, bool expected)
{
    for (; *addresses != NULL; addresses++)
        if (is_private(*addresses) != expected)
            fail_msg("%s: expected %s", *addresses, expected ? "private" : "public");
}

static void both_edges_of_every_private_range_are_private(void **state)
{
    static const char *const addresses[] = {"0.0.0.0",
                                            "0.255.255.255",
                                            "10.0.0.0",
                                            "10.255.255.255",
                                            "100.64.0.0",
                                            "100.127.255.255",
                                            "127.0.0.0",
                                            "127.0.0.1",
                                            "127.255.255.255",
                                            "169.254.0.0",
                                            "169.254.169.254",
                                            "169.254.255.255",
                                            "172.16.0.0",
                                            "172.31.255.255",
                                            "192.0.0.0",
                                            "192.0.0.255",
                                            "192.0.2.0",
                                            "192.0.2.255",
                                            "192.168.0.0",
                                            "192.168.255.255",
                                            "198.18.0.0",
                                            "198.19.255.255",
                                            "198.51.100.7",
                                            "203.0.113.7",
                                            "224.0.0.1",
                                            "239.255.255.255",
                                            "240.0.0.1",
                                            "255.255.255.255",
                                            NULL};

    (void)state;
    assert_each(addresses, true);
}

static void what_lies_beside_is_public(void **state)
{
    static const char *const addresses[] = {
        "1.0.0.0",         "9.255.255.255",     "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",       "126.255.255.255",
        "128.0.0.0",       "169.253.255.255",   "169.255.0.0",
        "172.15.255.255",  "172.32.0.0",        "192.0.1.0",
        "192.0.3.0",       "192.167.255.255",   "192.169.0.0",
        "198.17.255.255",  "198.20.0.0",        "198.51.99.255",
        "198.51.101.0",    "203.0.112.255",     "203.0.114.0",
        "223.255.255.255", "8.8.8.8",           "2000::1",
        "2606:4700::1111", "2a00:1450:4001::1", "3fff:ffff::1",
        "2001:200::1",     "2002:808:808::1",   NULL};

    (void)state;
    assert_each(addresses, false);
}

static void of_ipv6_only_what_is_given_out_is_public(void **state)
{
    static const char *const addresses[] = {
        "::",      "::1",     "fe80::1",     "febf::1", "fec0::1", "fc00::1", "fd12:3456::1",
        "ff02::1", "2001::1", "2001:db8::1", "1fff::1", "4000::1", NULL};

    (void)state;
    assert_each(addresses, true);
}

static void an_ipv4_address_inside_an_ipv6_one_counts_as_itself(void **state)
{
    static const char *const inner_private[] = {"::ffff:127.0.0.1",
                                                "::ffff:10.1.2.3",
                                                "64:ff9b::192.168.1.1",
                                                "::127.0.0.1",
                                                "2002:7f00:1::1",
                                                "2002:a9fe:a9fe::",
                                                NULL};
    static const char *const inner_public[] = {"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", NULL};

    (void)state;
    assert_each(inner_private, true);
    assert_each(inner_public, false);
}

static void what_is_no_internet_address_is_no_way_to_a_feed(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    (void)state;
    assert_true(kns_netguard_is_private((struct sockaddr *)&un));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_edges_of_every_private_range_are_private),
        cmocka_unit_test(what_lies_beside_is_public),
        cmocka_unit_test(of_ipv6_only_what_is_given_out_is_public),
        cmocka_unit_test(an_ipv4_address_inside_an_ipv6_one_counts_as_itself),
        cmocka_unit_test(what_is_no_internet_address_is_no_way_to_a_feed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
