#include "lib/url/tracking.h"

#include <string.h>
#include <strings.h>

/* Names in lower case; one that ends in * is a prefix. Only what no site is known to use to tell articles apart. */
static const char *const names[] = {
    "utm_*",
    "fbclid",
    "gclid",
    "gclsrc",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "yclid",
    "ysclid",
    "twclid",
    "ttclid",
    "li_fat_id",
    "igshid",
    "igsh",
    "mc_cid",
    "mc_eid",
    "_bhlid",
    "_hsenc",
    "_hsmi",
    "hsctatracking",
    "__hstc",
    "__hssc",
    "__hsfp",
    "mkt_tok",
    "vero_id",
    "vero_conv",
    "oly_anon_id",
    "oly_enc_id",
    "wt_zmc",
    "wickedid",
    "_openstat",
    "_ga",
    "_gl",
    "rb_clickid",
    "s_cid",
    "ml_subscriber",
    "pk_campaign",
    "pk_kwd",
    "pk_source",
    "pk_medium",
    "pk_content",
    "piwik_campaign",
    "piwik_kwd",
    "mtm_*",
    "matomo_*",
    "hmb_campaign",
    "hmb_medium",
    "hmb_source",
    "at_medium",
    "at_campaign",
    "at_custom*",
    "guccounter",
    "guce_referrer",
    "guce_referrer_sig",
    "ref_src",
    "ref_url",
    "cmpid",
    "ncid",
    "sr_share",
    "soc_src",
    "soc_trk",
    "xtor",
    "trk_contact",
    "trk_msg",
    "trk_module",
    "trk_sid",
    "mbid",
    "epik",
    "srsltid",
    "fb_action_ids",
    "fb_action_types",
    "fb_ref",
    "fb_source",
    "ck_subscriber_id",
    "bsft_*",
};

static bool matches(const char *name, const char *given, size_t len)
{
    size_t want = strlen(name);

    if (name[want - 1] == '*')
        return len >= want - 1 && strncasecmp(name, given, want - 1) == 0;
    return len == want && strncasecmp(name, given, want) == 0;
}

bool kns_url_is_tracking(const char *parameter, size_t len)
{
    const char *equals = memchr(parameter, '=', len);
    size_t name_len = equals == NULL ? len : (size_t)(equals - parameter);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (matches(names[i], parameter, name_len))
            return true;
    return false;
}
