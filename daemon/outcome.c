#include "daemon/outcome.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {400, "Bad Request"},
    {401, "Unauthorized: it wants credentials"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {410, "Gone: the publisher ended this feed"},
    {429, "Too Many Requests"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *phrase_of(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "";
}

static void set(struct kns_verdict *v, enum kns_outcome outcome, enum kns_feed_state state,
                enum kns_feed_health health, const char *text)
{
    v->outcome = outcome;
    v->state = state;
    v->health = health;
    snprintf(v->text, sizeof(v->text), "%s", text == NULL ? "" : text);
}

/* What challenge pages hold, and hardly any other: markup of the walls first, then their words. */
static const char *const bot_walls[] = {
    "/cdn-cgi/challenge-platform/",
    "cf-browser-verification",
    "cf_chl_opt",
    "Attention Required! | Cloudflare",
    "<title>Just a moment...</title>",
    "Enable JavaScript and cookies to continue",
    "DDoS protection by",
    "/_Incapsula_Resource",
    "_pxCaptcha",
    "px-captcha",
    "captcha-delivery.com",
    "awsWafCookieDomainList",
    "token.awswaf.com",
    "sucuri_cloudproxy_js",
    "/.within.website/x/cmd/anubis",
    "Making sure you&#39;re not a bot",
    "Making sure you're not a bot",
    "Pardon Our Interruption",
    "g-recaptcha",
    "h-captcha",
    "cf-turnstile",
    "Verify you are human",
    "Verifying you are human",
    "Checking your browser before accessing",
    "Please verify you are a human",
};

bool kns_outcome_is_bot_wall(const char *page)
{
    for (size_t i = 0; i < sizeof(bot_walls) / sizeof(bot_walls[0]); i++)
        if (strcasestr(page, bot_walls[i]) != NULL)
            return true;
    return false;
}

static bool asks_to_wait(const struct kns_headers *headers)
{
    return headers->retry_after_s >= 0 || kns_time_given(headers->retry_after);
}

static void set_bot_wall(struct kns_verdict *v)
{
    set(v, KNS_POLL_REFUSED, KNS_FEED_FAILING, KNS_HEALTH_REFUSED,
        "refused by a bot wall (a challenge page instead of the feed)");
}

static void judge_status(const struct kns_answer *a, struct kns_verdict *v)
{
    char text[128];

    snprintf(text, sizeof(text), "HTTP %d %s", a->status, phrase_of(a->status));
    if (a->status == 410 && a->redirected) /* the page at the end is gone, not the subscription */
        set(v, KNS_POLL_ERROR, KNS_FEED_FAILING, KNS_HEALTH_FAILING, text);
    else if (a->status == 410)
        set(v, KNS_POLL_GONE, KNS_FEED_GONE, KNS_HEALTH_GONE, text);
    else if (a->status == 429 || (a->status == 503 && asks_to_wait(a->headers)))
        set(v, KNS_POLL_THROTTLED, KNS_FEED_FAILING, KNS_HEALTH_THROTTLED, text);
    else if (a->headers->bot_wall || kns_outcome_is_bot_wall(a->page))
        set_bot_wall(v);
    else if (a->status == 401 || a->status == 403)
        set(v, KNS_POLL_REFUSED, KNS_FEED_FAILING, KNS_HEALTH_REFUSED, text);
    else
        set(v, KNS_POLL_ERROR, KNS_FEED_FAILING, KNS_HEALTH_FAILING, text);
}

static void judge_body(const struct kns_answer *a, struct kns_verdict *v)
{
    if (a->document != NULL && (a->cut || a->document->cut || a->error != NULL))
        set(v, KNS_POLL_CUT, KNS_FEED_ACTIVE, KNS_HEALTH_OK,
            "the document was cut short: its whole entries were kept");
    else if (a->document != NULL)
        set(v, a->same_body ? KNS_POLL_UNCHANGED : KNS_POLL_NEW_DOCUMENT, KNS_FEED_ACTIVE,
            KNS_HEALTH_OK, NULL);
    else if (a->headers->bot_wall || kns_outcome_is_bot_wall(a->page))
        set_bot_wall(v);
    else if (a->parse_error.status == KNS_ENOTFEED)
        set(v, KNS_POLL_NOT_A_FEED, KNS_FEED_FAILING, KNS_HEALTH_NOT_A_FEED,
            a->parse_error.message);
    else
        set(v, KNS_POLL_ERROR, KNS_FEED_FAILING, KNS_HEALTH_FAILING, a->parse_error.message);
}

void kns_outcome_judge(const struct kns_answer *a, struct kns_verdict *v)
{
    bool has_body = a->status >= 200 && a->status < 300;

    if (a->refused)
        set(v, KNS_POLL_REFUSED, KNS_FEED_FAILING, KNS_HEALTH_REFUSED, a->error);
    else if (has_body &&
             (a->error == NULL || a->document != NULL || a->parse_error.status == KNS_ELIMIT))
        judge_body(a, v);
    else if (a->error != NULL)
        set(v, KNS_POLL_ERROR, KNS_FEED_FAILING, KNS_HEALTH_FAILING, a->error);
    else if (a->status == 304 && !a->conditional)
        set(v, KNS_POLL_ERROR, KNS_FEED_FAILING, KNS_HEALTH_FAILING,
            "HTTP 304 Not Modified, which nothing had asked for");
    else if (a->status == 304)
        set(v, KNS_POLL_UNCHANGED, KNS_FEED_ACTIVE, KNS_HEALTH_OK, NULL);
    else
        judge_status(a, v);
}
