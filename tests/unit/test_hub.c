/* WebSub's decisions: which hub, what is believed of it, when it is asked again; and the signatures of what it pushes. */
#include "daemon/hub.h"
#include "daemon/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400

/* ---- which hub ------------------------------------------------------------------------------------------------------ */

struct names_case {
    const char *link;                      /* the header; NULL: none */
    const char *type, *hub, *self;         /* the document's; NULL: none */
    const char *feed_url;                  /* NULL: http://f.example/feed */
    const char *wanted_hub, *wanted_topic; /* NULL: none */
};

static void check_names(const struct names_case *c)
{
    struct kns_document *document = kns_document_new(0);
    const char *feed_url = c->feed_url == NULL ? "http://f.example/feed" : c->feed_url;

    document->feed_url = c->self;
    if (c->hub != NULL) {
        struct kns_hub *hub = KNS_NEW(document->arena, struct kns_hub);
        hub->type = c->type;
        hub->url = c->hub;
        KNS_LIST_APPEND(&document->hubs, hub);
    }
    struct kns_hub_names names =
        kns_hub_find(document->arena, c->link, feed_url, feed_url, document);
    if (c->wanted_hub == NULL) {
        assert_null(names.hub);
        assert_null(names.topic);
    } else {
        assert_non_null(names.hub);
        assert_string_equal(names.hub, c->wanted_hub);
        assert_string_equal(names.topic, c->wanted_topic);
    }
    kns_document_free(document);
}

static void the_document_names_its_hub_and_its_topic(void **state)
{
    static const struct names_case cases[] = {
        {NULL, "WebSub", "https://h.example/", "http://f.example/self", NULL, "https://h.example/",
         "http://f.example/self"},
        {NULL, "PubSubHubbub", "https://h.example/", NULL, NULL, "https://h.example/",
         "http://f.example/feed"},
        {NULL, "WebSub", "/hub", "self", NULL, "http://f.example/hub", "http://f.example/self"},
        {NULL, "rssCloud", "https://h.example/", NULL, NULL, NULL, NULL},
        {NULL, NULL, "https://h.example/", NULL, NULL, NULL, NULL},
        {NULL, "WebSub", "ftp://h.example/", NULL, NULL, NULL, NULL},
        {NULL, NULL, NULL, "http://f.example/self", NULL, NULL, NULL},
        {NULL, "WebSub", "https://h.example/", "http://f.example/self", "exec:/bin/feed", NULL,
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_names(&cases[i]);
}

static void the_link_header_goes_before_the_document(void **state)
{
    static const struct names_case cases[] = {
        {"<https://a.example/hub>; rel=\"hub\", <https://a.example/t>; rel=self", "WebSub",
         "https://h.example/", "http://f.example/self", NULL, "https://a.example/hub",
         "https://a.example/t"},
        {"<https://a.example/x,y>; title=\"a, <b>\"; rel=\"alternate hub\"", NULL, NULL, NULL, NULL,
         "https://a.example/x,y", "http://f.example/feed"},
        {"</hub>; REL=HUB", NULL, NULL, NULL, NULL, "http://f.example/hub",
         "http://f.example/feed"},
        {"<https://a.example/>; rel=\"hubs\"", NULL, NULL, NULL, NULL, NULL, NULL},
        {"<https://a.example/>; title=\"rel=hub\"", NULL, NULL, NULL, NULL, NULL, NULL},
        {"<https://a.example/", NULL, NULL, NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL, NULL, NULL},
        {"<http://a.example/>; rel=hub, <https://b.example/>; rel=hub", NULL, NULL, NULL, NULL,
         "https://b.example/", "http://f.example/feed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_names(&cases[i]);
}

static void no_hub_weakens_what_tls_gives_to_a_feed(void **state)
{
    static const struct names_case cases[] = {
        {NULL, "WebSub", "http://h.example/", NULL, "https://f.example/feed", NULL, NULL},
        {NULL, "WebSub", "http://127.0.0.1/", NULL, "https://localhost/feed", "http://127.0.0.1/",
         "https://localhost/feed"},
        {NULL, "WebSub", "http://h.example/", NULL, NULL, "http://h.example/",
         "http://f.example/feed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_names(&cases[i]);
}

static void credentials_are_in_no_topic(void **state)
{
    const struct names_case c = {NULL,
                                 "WebSub",
                                 "https://u:p@h.example/",
                                 NULL,
                                 "http://user:secret@f.example/feed",
                                 "https://h.example/",
                                 "http://f.example/feed"};

    (void)state;
    check_names(&c);
}

static void a_secret_goes_over_tls_or_stays_on_this_machine(void **state)
{
    (void)state;
    assert_true(kns_hub_keeps_secrets("https://h.example/"));
    assert_true(kns_hub_keeps_secrets("http://127.0.0.1:8080/"));
    assert_true(kns_hub_keeps_secrets("http://localhost/"));
    assert_true(kns_hub_keeps_secrets("http://[::1]:1/"));
    assert_false(kns_hub_keeps_secrets("http://h.example/"));
    assert_false(kns_hub_keeps_secrets("http://10.0.0.1/"));
    assert_false(kns_hub_keeps_secrets("http://127.example.org/"));
    assert_false(kns_hub_keeps_secrets("http://localhost.example.org/"));
}

static void the_form_is_encoded_and_its_secret_short_enough(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    char secret[2 * KNS_HUB_SECRET_BYTES + 1];

    (void)state;
    assert_string_equal(
        kns_hub_form(arena, "subscribe", "http://f.example/?a=1&b=ü", "http://c.example/websub/x",
                     "s"),
        "hub.mode=subscribe&hub.topic=http%3A%2F%2Ff.example%2F%3Fa%3D1%26b%3D%C3%BC"
        "&hub.callback=http%3A%2F%2Fc.example%2Fwebsub%2Fx&hub.lease_seconds=864000&hub.secret=s");
    assert_string_equal(kns_hub_form(arena, "unsubscribe", "t", "c", "s"),
                        "hub.mode=unsubscribe&hub.topic=t&hub.callback=c");
    assert_true(kns_random_hex(secret, KNS_HUB_SECRET_BYTES));
    assert_int_equal(strlen(secret), 64);
    assert_true(strlen(secret) <= 199);
    kns_arena_free(arena);
}

/* ---- intents ---------------------------------------------------------------------------------------------------------- */

static void only_what_was_asked_for_and_is_awaited_is_confirmed(void **state)
{
    static const struct {
        const char *mode, *topic, *challenge;
        enum kns_websub_state state;
        enum kns_websub_awaits awaits;
        enum kns_hub_verdict verdict;
    } rows[] = {
        {"subscribe", "t", "c", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_SUBSCRIBED},
        {"subscribe", "t", "c", KNS_WEBSUB_ALIVE, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_SUBSCRIBED},
        {"subscribe", "t", "c", KNS_WEBSUB_ALIVE, KNS_WEBSUB_NOTHING, KNS_HUB_REFUSED},
        {"subscribe", "t", "c", KNS_WEBSUB_WANTED, KNS_WEBSUB_NOTHING, KNS_HUB_REFUSED},
        {"subscribe", "u", "c", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
        {"subscribe", NULL, "c", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
        {"subscribe", "t", "", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
        {"subscribe", "t", NULL, KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
        {"unsubscribe", "t", "c", KNS_WEBSUB_ALIVE, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
        {"unsubscribe", "t", "c", KNS_WEBSUB_LEAVING, KNS_WEBSUB_UNSUBSCRIBE, KNS_HUB_UNSUBSCRIBED},
        {"subscribe", "t", "c", KNS_WEBSUB_LEAVING, KNS_WEBSUB_UNSUBSCRIBE, KNS_HUB_REFUSED},
        {"denied", "t", NULL, KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_DENIED},
        {"denied", "t", NULL, KNS_WEBSUB_ALIVE, KNS_WEBSUB_NOTHING, KNS_HUB_DENIED},
        {"denied", "u", NULL, KNS_WEBSUB_ALIVE, KNS_WEBSUB_NOTHING, KNS_HUB_REFUSED},
        {"denied", "t", NULL, KNS_WEBSUB_WANTED, KNS_WEBSUB_NOTHING, KNS_HUB_REFUSED},
        {"denied", "t", NULL, KNS_WEBSUB_LEAVING, KNS_WEBSUB_UNSUBSCRIBE, KNS_HUB_REFUSED},
        {"publish", "t", "c", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
        {NULL, "t", "c", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE, KNS_HUB_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct kns_hub_intent intent = {
            .mode = rows[i].mode, .topic = rows[i].topic, .challenge = rows[i].challenge};
        if (kns_hub_judge(&intent, "t", rows[i].state, rows[i].awaits) != rows[i].verdict)
            fail_msg("row %zu", i);
    }
}

static void a_challenge_has_a_longest(void **state)
{
    static char challenge[KNS_HUB_MAX_CHALLENGE + 2];
    struct kns_hub_intent intent = {.mode = "subscribe", .topic = "t", .challenge = challenge};

    (void)state;
    memset(challenge, 'x', KNS_HUB_MAX_CHALLENGE);
    assert_int_equal(kns_hub_judge(&intent, "t", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE),
                     KNS_HUB_SUBSCRIBED);
    challenge[KNS_HUB_MAX_CHALLENGE] = 'x';
    assert_int_equal(kns_hub_judge(&intent, "t", KNS_WEBSUB_WANTED, KNS_WEBSUB_SUBSCRIBE),
                     KNS_HUB_REFUSED);
}

/* ---- times ------------------------------------------------------------------------------------------------------------ */

static void a_lease_is_believed_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(kns_hub_lease_s("3600"), 3600);
    assert_int_equal(kns_hub_lease_s("1"), 1);
    assert_int_equal(kns_hub_lease_s("99999999999999999999"), KNS_HUB_MAX_LEASE_S);
    assert_int_equal(kns_hub_lease_s("0"), KNS_HUB_ASKED_LEASE_S);
    assert_int_equal(kns_hub_lease_s("-5"), KNS_HUB_ASKED_LEASE_S);
    assert_int_equal(kns_hub_lease_s("soon"), KNS_HUB_ASKED_LEASE_S);
    assert_int_equal(kns_hub_lease_s("60x"), KNS_HUB_ASKED_LEASE_S);
    assert_int_equal(kns_hub_lease_s(NULL), KNS_HUB_ASKED_LEASE_S);
}

static void a_lease_is_renewed_while_it_lasts(void **state)
{
    (void)state;
    assert_int_equal(kns_hub_renew_after_s(9 * DAY, 0), 6 * DAY);
    assert_in_range(kns_hub_renew_after_s(9 * DAY, 1), 5 * DAY, 6 * DAY - 1);
    assert_int_equal(kns_hub_renew_after_s(1, 0), 1);
}

static void a_hub_that_fails_is_asked_ever_later(void **state)
{
    (void)state;
    assert_int_equal(kns_hub_retry_s(1, 60, 0), 60);
    assert_int_equal(kns_hub_retry_s(2, 60, 0), 120);
    assert_int_equal(kns_hub_retry_s(4, 60, 1), 600);
    assert_int_equal(kns_hub_retry_s(1000, 60, 0), KNS_HUB_MAX_RETRY_S);
}

/* ---- where callbacks arrive ------------------------------------------------------------------------------------------- */

static void callbacks_are_listened_for_where_they_can_arrive(void **state)
{
    static const struct {
        const char *listen, *callback_url, *address; /* NULL: nowhere */
        int port;
    } rows[] = {
        {"", "http://127.0.0.1:8090/", "127.0.0.1", 8090},
        {"", "http://localhost:8090", "127.0.0.1", 8090},
        {"", "http://[::1]:8090/below", "::1", 8090},
        {"", "http://127.0.0.1/", "127.0.0.1", 80},
        {"", "https://127.0.0.1:8090/", NULL, 0},
        {"", "http://kns.example/", NULL, 0},
        {"", "http://10.0.0.1:80/", NULL, 0},
        {"0.0.0.0:8090", "https://kns.example/", "0.0.0.0", 8090},
        {"[::]:8090", "https://kns.example/", "::", 8090},
        {"127.0.0.1:8090", "", NULL, 0},
        {"", "", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = 0;
        char text[INET6_ADDRSTRLEN] = "";
        bool found = kns_hub_listen_address(rows[i].listen, rows[i].callback_url, &address, &size);
        if (found != (rows[i].address != NULL))
            fail_msg("row %zu", i);
        if (!found)
            continue;
        bool v4 = address.ss_family == AF_INET;
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
        inet_ntop(address.ss_family, v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, text,
                  sizeof(text));
        assert_string_equal(text, rows[i].address);
        assert_int_equal(ntohs(v4 ? in->sin_port : in6->sin6_port), rows[i].port);
    }
}

static void what_is_no_address_and_port_is_refused(void **state)
{
    static const char *const bad[] = {"",          "8090",         "127.0.0.1",       ":8090",
                                      "host:8090", "127.0.0.1:0",  "127.0.0.1:65536", "::1:8090",
                                      "[::1]",     "127.0.0.1:8x", "[127.0.0.1:80",   "127.0.0.1:"};
    struct sockaddr_storage address;
    socklen_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (kns_hub_read_address(bad[i], &address, &size))
            fail_msg("%s", bad[i]);
}

static void callbacks_may_live_below_a_path(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    assert_string_equal(kns_hub_path_prefix(arena, "https://kns.example"), "");
    assert_string_equal(kns_hub_path_prefix(arena, "https://kns.example/"), "");
    assert_string_equal(kns_hub_path_prefix(arena, "https://kns.example/a/b/"), "/a/b");
    kns_arena_free(arena);
}

/* ---- signatures ------------------------------------------------------------------------------------------------------- */

static enum kns_signature_verdict verdict_of(const char *header, const char *secret,
                                             const char *body)
{
    struct kns_signature *signature = kns_signature_new(header, secret);

    assert_non_null(signature);
    for (const char *c = body; *c != '\0'; c++) /* byte by byte: as slow as a hub can be */
        kns_signature_add(signature, c, 1);
    enum kns_signature_verdict verdict = kns_signature_check(signature);
    kns_signature_free(signature);
    return verdict;
}

/* RFC 4231, test case 2. */
#define KEY "Jefe"
#define DATA "what do ya want for nothing?"
#define SHA256 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
#define SHA384                                                                                     \
    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab2" \
    "1649"
#define SHA512                                                                                     \
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0" \
    "e6fdcaeab1a34d4a6b4b636e070a38bce737"

static void the_methods_that_are_strong_are_believed(void **state)
{
    (void)state;
    assert_int_equal(verdict_of("sha256=" SHA256, KEY, DATA), KNS_SIGNATURE_GOOD);
    assert_int_equal(verdict_of("sha384=" SHA384, KEY, DATA), KNS_SIGNATURE_GOOD);
    assert_int_equal(verdict_of("sha512=" SHA512, KEY, DATA), KNS_SIGNATURE_GOOD);
    assert_int_equal(
        verdict_of("SHA256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843", KEY,
                   DATA),
        KNS_SIGNATURE_GOOD);
}

static void a_weak_or_unknown_method_is_told_from_a_wrong_signature(void **state)
{
    (void)state;
    assert_int_equal(verdict_of("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", KEY, DATA),
                     KNS_SIGNATURE_WEAK);
    assert_int_equal(verdict_of("md5=00", KEY, DATA), KNS_SIGNATURE_WEAK);
    assert_int_equal(verdict_of("nonsense", KEY, DATA), KNS_SIGNATURE_WEAK);
    assert_int_equal(verdict_of("sha2567=" SHA256, KEY, DATA), KNS_SIGNATURE_WEAK);
}

static void what_is_wrong_missing_or_cut_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(verdict_of("sha256=" SHA256, KEY, DATA "!"), KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of("sha256=" SHA256, "other", DATA), KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of("sha384=" SHA256, KEY, DATA), KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of("sha256=", KEY, DATA), KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of("sha256", KEY, DATA), KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of("sha256=5b", KEY, DATA), KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of("sha256=" SHA256 "00", KEY, DATA), KNS_SIGNATURE_BAD);
    assert_int_equal(
        verdict_of("sha256=zzdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", KEY,
                   DATA),
        KNS_SIGNATURE_BAD);
    assert_int_equal(verdict_of(NULL, KEY, DATA), KNS_SIGNATURE_MISSING);
    assert_int_equal(verdict_of("", KEY, DATA), KNS_SIGNATURE_MISSING);
}

static void without_a_secret_there_is_nothing_to_check(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(NULL, NULL, DATA), KNS_SIGNATURE_GOOD);
    assert_int_equal(verdict_of("sha1=00", NULL, DATA), KNS_SIGNATURE_GOOD);
}

static void random_text_is_hex_and_never_the_same(void **state)
{
    char a[2 * KNS_HUB_TOKEN_BYTES + 1], b[2 * KNS_HUB_TOKEN_BYTES + 1];

    (void)state;
    assert_true(kns_random_hex(a, KNS_HUB_TOKEN_BYTES));
    assert_true(kns_random_hex(b, KNS_HUB_TOKEN_BYTES));
    assert_int_equal(strlen(a), 48);
    assert_int_equal(strspn(a, "0123456789abcdef"), 48);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_names_its_hub_and_its_topic),
        cmocka_unit_test(the_link_header_goes_before_the_document),
        cmocka_unit_test(no_hub_weakens_what_tls_gives_to_a_feed),
        cmocka_unit_test(credentials_are_in_no_topic),
        cmocka_unit_test(a_secret_goes_over_tls_or_stays_on_this_machine),
        cmocka_unit_test(the_form_is_encoded_and_its_secret_short_enough),
        cmocka_unit_test(only_what_was_asked_for_and_is_awaited_is_confirmed),
        cmocka_unit_test(a_challenge_has_a_longest),
        cmocka_unit_test(a_lease_is_believed_within_bounds),
        cmocka_unit_test(a_lease_is_renewed_while_it_lasts),
        cmocka_unit_test(a_hub_that_fails_is_asked_ever_later),
        cmocka_unit_test(callbacks_are_listened_for_where_they_can_arrive),
        cmocka_unit_test(what_is_no_address_and_port_is_refused),
        cmocka_unit_test(callbacks_may_live_below_a_path),
        cmocka_unit_test(the_methods_that_are_strong_are_believed),
        cmocka_unit_test(a_weak_or_unknown_method_is_told_from_a_wrong_signature),
        cmocka_unit_test(what_is_wrong_missing_or_cut_is_not_believed),
        cmocka_unit_test(without_a_secret_there_is_nothing_to_check),
        cmocka_unit_test(random_text_is_hex_and_never_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
