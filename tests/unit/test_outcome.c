/* From an answer to what it means for the feed: one row for each kind of answer. */
#include "daemon/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

static struct kns_headers none = {.max_age_s = -1, .retry_after_s = -1};
static struct kns_headers wait_a_minute = {.max_age_s = -1, .retry_after_s = 60};
static struct kns_headers wall = {.max_age_s = -1, .retry_after_s = -1, .bot_wall = true};
static const struct kns_document document, cut_document = {.cut = true};

static void every_kind_of_answer_has_its_meaning(void **state)
{
    static const struct {
        const char *what;
        struct kns_answer answer;
        enum kns_outcome outcome;
        enum kns_feed_state state;
        enum kns_feed_health health;
        const char *says; /* NULL: nothing is said */
    } rows[] = {
        {"a document",
         {.status = 200, .document = &document},
         KNS_POLL_NEW_DOCUMENT,
         KNS_FEED_ACTIVE,
         KNS_HEALTH_OK,
         NULL},
        {"the same document",
         {.status = 200, .document = &document, .same_body = true},
         KNS_POLL_UNCHANGED,
         KNS_FEED_ACTIVE,
         KNS_HEALTH_OK,
         NULL},
        {"another 2xx",
         {.status = 203, .document = &document},
         KNS_POLL_NEW_DOCUMENT,
         KNS_FEED_ACTIVE,
         KNS_HEALTH_OK,
         NULL},
        {"304",
         {.status = 304, .conditional = true},
         KNS_POLL_UNCHANGED,
         KNS_FEED_ACTIVE,
         KNS_HEALTH_OK,
         NULL},
        {"304 unasked",
         {.status = 304},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "304"},
        {"a cut body",
         {.status = 200, .document = &document, .cut = true, .error = "closed"},
         KNS_POLL_CUT,
         KNS_FEED_ACTIVE,
         KNS_HEALTH_OK,
         "cut short"},
        {"a cut document",
         {.status = 200, .document = &cut_document},
         KNS_POLL_CUT,
         KNS_FEED_ACTIVE,
         KNS_HEALTH_OK,
         "cut short"},
        {"a page",
         {.status = 200, .parse_error = {KNS_ENOTFEED, "an HTML page"}},
         KNS_POLL_NOT_A_FEED,
         KNS_FEED_FAILING,
         KNS_HEALTH_NOT_A_FEED,
         "an HTML page"},
        {"a broken body",
         {.status = 200, .parse_error = {KNS_ESYNTAX, "line 3"}},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "line 3"},
        {"too large",
         {.status = 200, .error = "stopped", .parse_error = {KNS_ELIMIT, "over 16M"}},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "over 16M"},
        {"no answer",
         {.error = "no such host"},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "no such host"},
        {"policy",
         {.refused = true, .error = "a private network"},
         KNS_POLL_REFUSED,
         KNS_FEED_FAILING,
         KNS_HEALTH_REFUSED,
         "a private network"},
        {"401",
         {.status = 401},
         KNS_POLL_REFUSED,
         KNS_FEED_FAILING,
         KNS_HEALTH_REFUSED,
         "401 Unauthorized"},
        {"403",
         {.status = 403},
         KNS_POLL_REFUSED,
         KNS_FEED_FAILING,
         KNS_HEALTH_REFUSED,
         "403 Forbidden"},
        {"404",
         {.status = 404},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "404 Not Found"},
        {"410", {.status = 410}, KNS_POLL_GONE, KNS_FEED_GONE, KNS_HEALTH_GONE, "410 Gone"},
        {"410 elsewhere",
         {.status = 410, .redirected = true},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "410"},
        {"429",
         {.status = 429},
         KNS_POLL_THROTTLED,
         KNS_FEED_FAILING,
         KNS_HEALTH_THROTTLED,
         "429 Too Many"},
        {"503",
         {.status = 503},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "503 Service"},
        {"503 with a time",
         {.status = 503, .headers = &wait_a_minute},
         KNS_POLL_THROTTLED,
         KNS_FEED_FAILING,
         KNS_HEALTH_THROTTLED,
         "503"},
        {"500",
         {.status = 500},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "500 Internal"},
        {"a status nobody knows",
         {.status = 599},
         KNS_POLL_ERROR,
         KNS_FEED_FAILING,
         KNS_HEALTH_FAILING,
         "HTTP 599"},
        {"a wall by its header",
         {.status = 403, .headers = &wall},
         KNS_POLL_REFUSED,
         KNS_FEED_FAILING,
         KNS_HEALTH_REFUSED,
         "bot wall"},
        {"a wall by its page",
         {.status = 503, .page = "<title>Just a moment...</title>"},
         KNS_POLL_REFUSED,
         KNS_FEED_FAILING,
         KNS_HEALTH_REFUSED,
         "bot wall"},
        {"a wall that says 200",
         {.status = 200,
          .page = "<p>VERIFY YOU ARE HUMAN",
          .parse_error = {KNS_ENOTFEED, "a page"}},
         KNS_POLL_REFUSED,
         KNS_FEED_FAILING,
         KNS_HEALTH_REFUSED,
         "bot wall"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kns_answer answer = rows[i].answer;
        struct kns_verdict verdict = {0};
        if (answer.headers == NULL)
            answer.headers = &none;
        if (answer.page == NULL)
            answer.page = "";
        kns_outcome_judge(&answer, &verdict);
        if (verdict.outcome != rows[i].outcome || verdict.state != rows[i].state ||
            verdict.health != rows[i].health)
            fail_msg("%s: %s, %s, %s", rows[i].what, kns_outcome_name(verdict.outcome),
                     kns_feed_state_name(verdict.state), kns_feed_health_name(verdict.health));
        if (rows[i].says == NULL ? verdict.text[0] != '\0'
                                 : strstr(verdict.text, rows[i].says) == NULL)
            fail_msg("%s: said \"%s\"", rows[i].what, verdict.text);
    }
}

static void an_article_about_walls_is_none(void **state)
{
    (void)state;
    assert_false(kns_outcome_is_bot_wall(""));
    assert_false(kns_outcome_is_bot_wall("<rss><title>How to get past a challenge</title></rss>"));
    assert_true(kns_outcome_is_bot_wall("... window._cf_chl_opt={} ..."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_answer_has_its_meaning),
        cmocka_unit_test(an_article_about_walls_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
