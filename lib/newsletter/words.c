#include "lib/newsletter/words.h"

#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Whole texts of links, folded (kns_text_fold), without signs around them. */
static const char *const chrome_texts[] = {
    "unsubscribe",
    "unsubscribe here",
    "unsubscribe from this list",
    "unsubscribe instantly",
    "opt out",
    "manage preferences",
    "manage your preferences",
    "manage your subscription",
    "manage subscription",
    "update preferences",
    "update your preferences",
    "update your profile",
    "email preferences",
    "preferences",
    "view in browser",
    "view in your browser",
    "view this email in your browser",
    "view this in your browser",
    "view online",
    "view on the web",
    "view web version",
    "web version",
    "read online",
    "read in browser",
    "read on the web",
    "read in the browser",
    "open in browser",
    "share",
    "share this",
    "share this issue",
    "share this email",
    "share this newsletter",
    "share on twitter",
    "share on x",
    "share on facebook",
    "share on linkedin",
    "tweet",
    "tweet this",
    "tweet this issue",
    "forward",
    "forward this email",
    "forward to a friend",
    "forward this to a friend",
    "send to a friend",
    "follow",
    "follow us",
    "follow me",
    "follow us on twitter",
    "follow us on x",
    "follow us on facebook",
    "follow us on mastodon",
    "follow on twitter",
    "follow on x",
    "follow me on twitter",
    "follow me on x",
    "like us on facebook",
    "subscribe",
    "subscribe here",
    "subscribe now",
    "subscribe for free",
    "subscribe to this newsletter",
    "sign up",
    "sign up here",
    "archive",
    "archives",
    "past issues",
    "previous issues",
    "previous issue",
    "next issue",
    "all issues",
    "privacy policy",
    "privacy",
    "terms",
    "terms of service",
    "terms of use",
    "contact us",
    "contact",
    "advertise",
    "advertise with us",
    "sponsor this newsletter",
    "become a sponsor",
    "feedback",
    "leave feedback",
    "twitter",
    "facebook",
    "linkedin",
    "instagram",
    "mastodon",
    "rss",
    "配信停止",
    "配信解除",
    "配信停止はこちら",
    "配信の停止",
    "配信の停止はこちら",
    "購読解除",
    "購読を解除",
    "購読解除はこちら",
    "購読を停止",
    "購読停止",
    "登録解除",
    "登録解除はこちら",
    "メール配信を停止する",
    "ブラウザで表示",
    "ブラウザで見る",
    "ブラウザで読む",
    "ブラウザーで表示",
    "ブラウザで開く",
    "webで読む",
    "webで見る",
    "web版を見る",
    "web版",
    "オンラインで読む",
    "シェア",
    "シェアする",
    "この号をシェア",
    "この号をシェアする",
    "twitterでシェア",
    "xでシェア",
    "facebookでシェア",
    "ツイート",
    "ツイートする",
    "共有",
    "共有する",
    "友達に転送",
    "友達に転送する",
    "転送",
    "転送する",
    "フォロー",
    "フォローする",
    "twitterでフォロー",
    "xでフォロー",
    "購読",
    "購読する",
    "購読はこちら",
    "登録",
    "登録する",
    "登録はこちら",
    "メール登録",
    "バックナンバー",
    "バックナンバーはこちら",
    "過去の号",
    "過去の記事",
    "前号",
    "次号",
    "前の号",
    "次の号",
    "プライバシーポリシー",
    "利用規約",
    "お問い合わせ",
    "配信設定",
    "配信設定の変更",
    "設定を変更",
};

/* Parts of addresses of share, follow and list pages. */
static const char *const chrome_addresses[] = {
    "twitter.com/intent/",
    "twitter.com/share",
    "x.com/intent/",
    "x.com/share",
    "facebook.com/sharer",
    "facebook.com/share.php",
    "facebook.com/dialog/share",
    "linkedin.com/sharearticle",
    "linkedin.com/sharing/",
    "linkedin.com/cws/share",
    "reddit.com/submit",
    "news.ycombinator.com/submitlink",
    "getpocket.com/save",
    "getpocket.com/edit",
    "b.hatena.ne.jp/add",
    "b.hatena.ne.jp/entry/panel",
    "line.me/r/msg",
    "social-plugins.line.me/",
    "lineit.line.me/",
    "t.me/share",
    "api.whatsapp.com/send",
    "wa.me/?",
    "pinterest.com/pin/create",
    "bsky.app/intent/",
    "/unsubscribe",
    "unsubscribe?",
    "unsubscribe=",
    "unsub?",
    "/opt-out",
    "/optout",
    "list-manage.com/",
    "mailchi.mp/",
    "campaign-archive.com/",
    "forward-to-friend.com/",
    "manage_subscription",
    "manage-subscription",
    "/preferences?",
    "/email-preferences",
    "/update_profile",
    "/subscribe?",
};

static const char *const read_more_texts[] = {
    "read more",
    "read the article",
    "read article",
    "read full article",
    "read the full article",
    "read full story",
    "read the full story",
    "read the post",
    "read the rest",
    "read it",
    "read it here",
    "read on",
    "read",
    "more",
    "learn more",
    "see more",
    "view article",
    "view the article",
    "continue reading",
    "keep reading",
    "full story",
    "full article",
    "go to article",
    "open",
    "link",
    "watch",
    "watch now",
    "watch the video",
    "続きを読む",
    "続きを見る",
    "続きはこちら",
    "記事を読む",
    "記事を見る",
    "記事はこちら",
    "全文を読む",
    "もっと読む",
    "もっと見る",
    "詳しくはこちら",
    "詳しく読む",
    "詳細",
    "詳細を見る",
    "詳細はこちら",
    "読む",
    "見る",
    "リンク",
    "元記事",
    "元記事を読む",
    "元記事はこちら",
};

static const char *const farewells[] = {
    "see you next",
    "see you in",
    "see you soon",
    "until next",
    "till next",
    "that's all for",
    "that’s all for",
    "that is all for",
    "that's it for",
    "that’s it for",
    "thanks for reading",
    "thank you for reading",
    "happy reading",
    "have a great",
    "have a good",
    "have a nice",
    "cheers,",
    "best,",
    "enjoy your week",
    "また来週",
    "それではまた",
    "ではまた",
    "それでは、また",
    "では、また",
    "次回もお楽しみに",
    "次号もお楽しみに",
    "お読みいただき",
    "お読み頂き",
    "最後まで",
    "ご覧いただき",
    "今週は以上",
    "今号は以上",
    "今回は以上",
    "以上、",
    "以上です",
};

static const char *const small_prints[] = {
    "©",
    "(c) 20",
    "copyright",
    "you received this",
    "you are receiving this",
    "you're receiving this",
    "you’re receiving this",
    "this email was sent",
    "this newsletter was sent",
    "sent to you by",
    "was this email forwarded",
    "did someone forward",
    "if you no longer",
    "don't want to receive",
    "no longer want to receive",
    "このメールは",
    "このメールマガジンは",
    "このニュースレターは",
    "本メールは",
    "本メールマガジンは",
    "本ニュースレターは",
    "配信停止",
    "配信の停止",
    "購読解除",
    "購読を解除",
    "発行：",
    "発行:",
    "発行元",
    "編集・発行",
};

/* Words in class and id names, between the signs that join them. */
static const struct {
    const char *word;
    enum words_role role;
} roles[] = {
    {"description", ROLE_DESCRIPTION},
    {"desc", ROLE_DESCRIPTION},
    {"summary", ROLE_DESCRIPTION},
    {"excerpt", ROLE_DESCRIPTION},
    {"abstract", ROLE_DESCRIPTION},
    {"snippet", ROLE_DESCRIPTION},
    {"blurb", ROLE_DESCRIPTION},
    {"lead", ROLE_DESCRIPTION},
    {"comment", ROLE_NOTE},
    {"note", ROLE_NOTE},
    {"commentary", ROLE_NOTE},
    {"opinion", ROLE_NOTE},
    {"curator", ROLE_NOTE},
    {"remark", ROLE_NOTE},
    {"site", ROLE_SITE},
    {"source", ROLE_SITE},
    {"domain", ROLE_SITE},
    {"publisher", ROLE_SITE},
    {"host", ROLE_SITE},
    {"meta", ROLE_META},
};

/* Folded, and without what is no letter or digit at both ends: arrows, brackets, emoji. */
static const char *bare(struct kns_arena *arena, const char *text)
{
    const char *folded = text == NULL ? NULL : kns_text_fold(arena, text);
    const char *from = NULL, *to = NULL;

    for (const char *at = folded; at != NULL && *at != '\0';) {
        int32_t c = 0;
        size_t step = kns_text_next(at, strlen(at), &c);
        bool letter = c < 0x80 ? isalnum((int)c) != 0
                               : (c >= 0xaa && c < 0x2000) || (c >= 0x3041 && c < 0xe000);
        if (letter) {
            from = from == NULL ? at : from;
            to = at + step;
        }
        at += step;
    }
    return from == NULL ? NULL : kns_arena_copy(arena, from, (size_t)(to - from));
}

static bool is_in(const char *text, const char *const *table, size_t count)
{
    for (size_t i = 0; text != NULL && i < count; i++)
        if (strcmp(text, table[i]) == 0)
            return true;
    return false;
}

static bool has_any(const char *text, const char *const *table, size_t count)
{
    for (size_t i = 0; text != NULL && i < count; i++)
        if (strcasestr(text, table[i]) != NULL)
            return true;
    return false;
}

static bool begins_with_any(const char *text, const char *const *table, size_t count)
{
    for (size_t i = 0; text != NULL && i < count; i++)
        if (strncasecmp(text, table[i], strlen(table[i])) == 0)
            return true;
    return false;
}

bool words_is_chrome(struct kns_arena *arena, const char *text, const char *url)
{
    return is_in(bare(arena, text), chrome_texts, LENGTH(chrome_texts)) ||
           has_any(url, chrome_addresses, LENGTH(chrome_addresses));
}

bool words_is_read_more(struct kns_arena *arena, const char *text)
{
    const char *words = bare(arena, text);

    if (is_in(words, read_more_texts, LENGTH(read_more_texts)))
        return true;
    /* "Read more on example.com", "Read the post at Example" */
    return words != NULL && kns_text_columns(words) <= 40 &&
           (strncmp(words, "read more ", 10) == 0 || strncmp(words, "continue reading ", 17) == 0 ||
            strncmp(words, "read on ", 8) == 0 || strncmp(words, "read at ", 8) == 0);
}

bool words_is_farewell(const char *text)
{
    return kns_text_columns(text) <= 160 && begins_with_any(text, farewells, LENGTH(farewells));
}

bool words_is_byline(const char *text)
{
    static const char *const marks[] = {"by ", "文：", "文:", "著者：", "著者:", "執筆："};
    size_t len = strlen(text);

    return kns_text_columns(text) <= 40 && text[len - 1] != '.' && strstr(text, "。") == NULL &&
           begins_with_any(text, marks, LENGTH(marks));
}

bool words_is_small_print(const char *text)
{
    return begins_with_any(text, small_prints, LENGTH(small_prints));
}

bool words_is_dateline(const char *text)
{
    static const char *const marks[] = {"issue", "vol.", "no.", "第", "#"};
    bool digit = strpbrk(text, "0123456789") != NULL;

    if (!digit || kns_text_columns(text) > 48 || strpbrk(text, "!?") != NULL)
        return false;
    if (strstr(text, "。") != NULL || strstr(text, "、") != NULL)
        return false;
    return begins_with_any(text, marks, LENGTH(marks)) ||
           (strncmp(text, "20", 2) == 0 && isdigit((unsigned char)text[2]) &&
            kns_text_columns(text) <= 32);
}

bool words_is_host(const char *text)
{
    size_t dots = 0, len = strlen(text);

    if (len < 4 || len > 100)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '.')
            dots++;
        else if (!isalnum(c) && c != '-')
            return false;
    }
    return dots > 0 && text[0] != '.' && isalpha((unsigned char)text[len - 1]) &&
           text[len - 2] != '.';
}

bool words_is_address(const char *text)
{
    return (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0) &&
           text[strcspn(text, " \t\n<>\"")] == '\0';
}

enum words_role words_role_of(const char *names)
{
    while (names != NULL && *names != '\0') {
        size_t len = strcspn(names, " \t\n-_");
        for (size_t i = 0; i < LENGTH(roles); i++)
            if (strlen(roles[i].word) == len && strncasecmp(names, roles[i].word, len) == 0)
                return roles[i].role;
        names += len + (names[len] != '\0');
    }
    return ROLE_UNKNOWN;
}

/* ---- addresses of the newsletter itself ----------------------------------------------------------------------- */

/* Behind scheme and host prefix, without a slash at its end. */
static const char *key_of(struct kns_arena *arena, const char *url)
{
    return url == NULL ? NULL : kns_url_variant_key(arena, url);
}

/* Folders that hold issues and nothing else. */
static bool is_shelf(const char *name, size_t len)
{
    static const char *const shelves[] = {"issues",     "issue",       "archive", "archives", "p",
                                          "newsletter", "newsletters", "weekly",  "letters"};

    for (size_t i = 0; i < LENGTH(shelves); i++)
        if (strlen(shelves[i]) == len && strncasecmp(name, shelves[i], len) == 0)
            return true;
    return false;
}

static bool is_below(const char *key, const char *folder, size_t len)
{
    return strncmp(key, folder, len) == 0 &&
           (key[len] == '\0' || key[len] == '/' || key[len] == '?');
}

bool words_is_self(struct kns_arena *arena, const char *url, const char *issue_url,
                   const char *home)
{
    const char *key = key_of(arena, url), *issue = key_of(arena, issue_url),
               *front = key_of(arena, home);

    if (key == NULL)
        return false;
    if ((front != NULL && strcmp(key, front) == 0) || (issue != NULL && strcmp(key, issue) == 0))
        return true;
    if (issue == NULL)
        return false;
    size_t host = strcspn(issue, "/?");
    const char *slash = strrchr(issue, '/');
    if (strncmp(key, issue, host) != 0 || (key[host] != '\0' && key[host] != '/'))
        return false;
    if (slash == NULL || slash == issue + host) /* issues lie at the site's top */
        return key[host] == '\0' || strchr(key + host + 1, '/') == NULL;
    size_t folder = (size_t)(slash - issue);
    if (key[host] == '\0' || is_below(key, issue, folder))
        return true;
    /* One step up from a shelf: the profile whose issues these are. */
    const char *name = memrchr(issue, '/', folder);
    if (name == NULL || name == issue + host ||
        !is_shelf(name + 1, folder - (size_t)(name + 1 - issue)))
        return false;
    return is_below(key, issue, (size_t)(name - issue));
}
