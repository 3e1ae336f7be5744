/* What a digest says of its own, in the languages it is written in. */
#include "lib/digest/view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct digest_words all_words[] = {
    {
        .language = "en",
        .untitled = "Untitled",
        .made_with = "Made with KNS",
        .items_one = "%zu article",
        .items_many = "%zu articles",
        .seen_in = "in %zu feeds",
        .read_on_web = "Read it on the web",
        .nothing = "Nothing new in this time.",
        .all_issues = "All issues",
        .newer = "Next issue",
        .older = "Previous issue",
        .feed = "Feed",
    },
    {
        .language = "ja",
        .untitled = "無題",
        .made_with = "KNS で作成",
        .items_one = "%zu本の記事",
        .items_many = "%zu本の記事",
        .seen_in = "%zu個のフィードに掲載",
        .read_on_web = "ウェブで読む",
        .nothing = "この期間の新しい記事はありません。",
        .all_issues = "バックナンバー",
        .newer = "次の号",
        .older = "前の号",
        .feed = "フィード",
    },
};

static const char *const english_months[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};

const struct digest_words *digest_words_find(const char *language)
{
    for (size_t i = 0; i < sizeof(all_words) / sizeof(all_words[0]); i++) {
        size_t len = strlen(all_words[i].language);
        if (language != NULL && strncasecmp(language, all_words[i].language, len) == 0 &&
            (language[len] == '\0' || language[len] == '-'))
            return &all_words[i];
    }
    return &all_words[0];
}

const char *digest_date(struct kns_arena *arena, const char *language, struct kns_time time)
{
    struct tm tm;
    time_t seconds = (time_t)time.unix_s;

    if (!kns_time_given(time) || gmtime_r(&seconds, &tm) == NULL)
        return "";
    if (strcmp(digest_words_find(language)->language, "ja") == 0)
        return kns_arena_printf(arena, "%d年%d月%d日", tm.tm_year + 1900, tm.tm_mon + 1,
                                tm.tm_mday);
    return kns_arena_printf(arena, "%d %s %d", tm.tm_mday, english_months[tm.tm_mon],
                            tm.tm_year + 1900);
}
