/* knsctl: every verb there is, in one table. */
#include "ctl/ctl.h"

#include "ctl/completion.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct kns_option common[] = {
    {"socket", 0, false, KNS_OPTION_FILE, "PATH", "ask the daemon that answers here"},
    {"json", 0, false, KNS_OPTION_FLAG, NULL, "print JSON, for programs"},
    {"color", 0, false, KNS_OPTION_CHOICE, "auto|always|never", "colours"},
    {"help", 'h', false, KNS_OPTION_FLAG, NULL, "say what the verb does and takes"},
    {"version", 0, false, KNS_OPTION_FLAG, NULL, "print the version"},
    {0},
};

#define EDITS                                                                                      \
    {"title", 0, false, KNS_OPTION_TEXT, "TITLE", "show it under this title"},                     \
        {"tag",           't',   true,                                                             \
         KNS_OPTION_TEXT, "TAG", "put it under this tag (a/b is a folder in a folder)"},           \
        {"every",          0,      false,                                                          \
         KNS_OPTION_EVERY, "TIME", "poll it so often, such as 30m; none: as it asks"},             \
        {"auth",                                                                                   \
         0,                                                                                        \
         false,                                                                                    \
         KNS_OPTION_TEXT,                                                                          \
         "SECRET",                                                                                 \
         "USER:PASSWORD, Bearer TOKEN, @FILE with one of these on its first line (@- is "          \
         "standard input), or none"},                                                              \
        {"header", 0,                                                                              \
         true,     KNS_OPTION_TEXT,                                                                \
         "LINE",   "send \"Name: value\" with every request; @FILE: the lines of a file; none"},   \
        {"user-agent", 0, false, KNS_OPTION_TEXT, "TEXT", "be this to its server"},                \
        {"proxy", 0, false, KNS_OPTION_TEXT, "URL", "ask through this proxy"},                     \
        {"ca-file", 0, false, KNS_OPTION_TEXT, "FILE", "trust the authorities in this file"},      \
    {                                                                                              \
        "http-version", 0, false, KNS_OPTION_CHOICE, "1.0|1.1|2", "speak no newer HTTP than this"  \
    }

#define FILTERS                                                                                    \
    {"feed", 'f', true, KNS_OPTION_TEXT, "FEED", "of this feed, an id or a URL"},                  \
        {"tag", 't', false, KNS_OPTION_TEXT, "TAG", "with this tag, its own or its feed's"},       \
        {"since",          0,      false,                                                          \
         KNS_OPTION_POINT, "TIME", "from then on: 7d (ago), 2026-11-01, RFC 3339"},                \
        {"until", 0, false, KNS_OPTION_POINT, "TIME", "before then"},                              \
        {"unread", 'u', false, KNS_OPTION_FLAG, NULL, "not marked read"},                          \
        {"starred", 's', false, KNS_OPTION_FLAG, NULL, "starred"},                                 \
        {"min-sources", 0, false, KNS_OPTION_NUMBER, "N", "carried by so many feeds"},             \
    {                                                                                              \
        "sort", 0, false, KNS_OPTION_CHOICE, "new|old|seen|sources|rank", "in this order"          \
    }

static const struct kns_option add_options[] = {
    EDITS,
    {"newsletter", 0, false, KNS_OPTION_FLAG, NULL, "its entries are roundups of links"},
    {"no-discover", 0, false, KNS_OPTION_FLAG, NULL, "do not look for feeds in a page"},
    {"force", 0, false, KNS_OPTION_FLAG, NULL, "add it even if it fails or is no feed"},
    {0},
};
static const struct kns_option edit_options[] = {
    {"url", 0, false, KNS_OPTION_TEXT, "URL", "poll this address from now on"},
    EDITS,
    {"newsletter", 0, false, KNS_OPTION_CHOICE, "yes|no", "its entries are roundups of links"},
    {0},
};
static const struct kns_option feeds_options[] = {
    {"tag", 't', false, KNS_OPTION_TEXT, "TAG", "with this tag"},
    {"failing", 0, false, KNS_OPTION_FLAG, NULL, "only those that are not well"},
    {0},
};
static const struct kns_option refresh_options[] = {
    {"wait", 'w', false, KNS_OPTION_FLAG, NULL, "until all have answered"},
    {"force", 0, false, KNS_OPTION_FLAG, NULL, "even if the server asked us not to come yet"},
    {0},
};
static const struct kns_option list_options[] = {
    FILTERS,
    {"query", 'q', false, KNS_OPTION_TEXT, "QUERY", "that a search finds"},
    {"number", 'n', false, KNS_OPTION_NUMBER, "N", "so many (50)"},
    {"all", 0, false, KNS_OPTION_FLAG, NULL, "all of them"},
    {"format", 0, false, KNS_OPTION_TEXT, "TEMPLATE",
     "such as '{date}\\t{title}': id title url date feed summary author tags"},
    {0},
};
static const struct kns_option search_options[] = {
    FILTERS,
    {"number", 'n', false, KNS_OPTION_NUMBER, "N", "so many (50)"},
    {0},
};
static const struct kns_option why_options[] = {
    {"feed", 'f', false, KNS_OPTION_FLAG, NULL, "the number is a feed's, not an item's"},
    {0},
};
static const struct kns_option rule_options[] = {
    {"last", 0, false, KNS_OPTION_SPAN, "TIME", "test: on what came in this time (30d)"},
    {"replace", 0, false, KNS_OPTION_FLAG, NULL, "import: instead of the rules that are there"},
    {0},
};
static const struct kns_option links_options[] = {
    {"since", 0, false, KNS_OPTION_POINT, "TIME", "named since then (7d)"},
    {"min-feeds", 0, false, KNS_OPTION_NUMBER, "N", "by so many feeds (2)"},
    {"number", 'n', false, KNS_OPTION_NUMBER, "N", "so many (50)"},
    {0},
};
static const struct kns_option watch_options[] = {
    {"feed", 'f', true, KNS_OPTION_TEXT, "FEED", "of this feed, an id or a URL"},
    {"tag", 't', false, KNS_OPTION_TEXT, "TAG", "of feeds with this tag"},
    {"query", 'q', false, KNS_OPTION_TEXT, "QUERY", "that a search finds"},
    {"since", 0, false, KNS_OPTION_NUMBER, "SEQ", "begin behind this event"},
    {0},
};
static const struct kns_option export_options[] = {
    {"format", 0, false, KNS_OPTION_CHOICE, "opml|json", "opml where not given"},
    {0},
};
static const struct kns_option digest_options[] = {
    FILTERS,
    {"query", 'q', false, KNS_OPTION_TEXT, "QUERY", "that a search finds"},
    {"number", 'n', false, KNS_OPTION_NUMBER, "N", "so many at most (100)"},
    {"format", 0, false, KNS_OPTION_CHOICE, "html|atom|opml|markdown|text|jsonfeed|eml",
     "html where not given"},
    {"output", 'o', false, KNS_OPTION_FILE, "FILE", "write it to this file, whole or not at all"},
    {"images", 0, false, KNS_OPTION_CHOICE, "remote|none|embedded",
     "thumbnails by their address (default), none, or taken along"},
    {"paste", 0, false, KNS_OPTION_FLAG, NULL, "HTML to paste into a newsletter platform's editor"},
    {0},
};
static const struct kns_option issue_options[] = {
    {"newsletter", 0, false, KNS_OPTION_TEXT, "NAME", "of this [newsletter NAME]; else the first"},
    {"since", 0, false, KNS_OPTION_POINT, "TIME", "suggest: from then on (since the last issue)"},
    {"number", 'n', false, KNS_OPTION_NUMBER, "N", "suggest: so many (7)"},
    {"why", 0, false, KNS_OPTION_FLAG, NULL, "suggest: print scores, and what they are made of"},
    {"section", 0, false, KNS_OPTION_TEXT, "TITLE", "add, move, intro: under this heading"},
    {"note", 0, false, KNS_OPTION_TEXT, "TEXT", "add: with this comment"},
    {"before", 0, false, KNS_OPTION_TEXT, "ITEM", "move: in front of this one, else to the end"},
    {"format", 0, false, KNS_OPTION_CHOICE, "html|atom|opml|markdown|text|jsonfeed|eml",
     "show, preview: in this format"},
    {"paste", 0, false, KNS_OPTION_FLAG, NULL,
     "show: HTML to paste into a newsletter platform's editor"},
    {"images", 0, false, KNS_OPTION_CHOICE, "remote|none|embedded",
     "show, preview, send: thumbnails"},
    {"output", 'o', false, KNS_OPTION_FILE, "FILE", "show, preview: write it to this file"},
    {"issue-number", 0, false, KNS_OPTION_NUMBER, "N", "publish, import: under this number"},
    {"date", 0, false, KNS_OPTION_TEXT, "DATE", "publish, import: of this date"},
    {"url", 0, false, KNS_OPTION_TEXT, "URL", "import: its permanent address"},
    {"no-links", 0, false, KNS_OPTION_FLAG, NULL,
     "lint, publish: do not look whether links are dead"},
    {"force", 0, false, KNS_OPTION_FLAG, NULL, "publish: whatever lint says"},
    {"to", 0, false, KNS_OPTION_TEXT, "LIST",
     "send: to these addresses (a,b or @FILE); else the message is printed"},
    {"print", 0, false, KNS_OPTION_FLAG, NULL, "send: print the message for sendmail -t"},
    {"again", 0, false, KNS_OPTION_FLAG, NULL, "send: to those too who had it"},
    {0},
};
static const struct kns_option site_options[] = {
    {"newsletter", 0, false, KNS_OPTION_TEXT, "NAME", "of this [newsletter NAME]; else the first"},
    {0},
};
static const struct kns_option check_options[] = {
    {"db", 0, false, KNS_OPTION_FILE, "FILE", "this database file, without the daemon"},
    {"salvage", 0, false, KNS_OPTION_FILE, "NEW",
     "copy what can be read of a corrupt database into this file, without the daemon"},
    {0},
};
static const struct kns_option parse_options[] = {
    {"base", 0, false, KNS_OPTION_TEXT, "URL", "where the document came from, for relative links"},
    {"content-type", 0, false, KNS_OPTION_TEXT, "CT", "the Content-Type that it came with"},
    {"sanitize", 0, false, KNS_OPTION_FLAG, NULL, "make its HTML harmless"},
    {"newsletter", 0, false, KNS_OPTION_FLAG, NULL,
     "it is an issue of a newsletter (HTML, or an archive file): take it apart"},
    {0},
};

#define MANY KNS_OPERANDS_MANY

static const char *const add_examples[] = {"knsctl add https://example.org/feed.xml",
                                           "knsctl add --tag ml/papers https://example.org/", NULL};
static const char *const list_examples[] = {
    "knsctl list --since 7d --tag kaggle", "knsctl list --format '{date}\\t{title}\\t{url}'", NULL};
static const char *const search_examples[] = {
    "knsctl search 機械学習", "knsctl search '\"gradient boosting\" -xgboost title:kaggle'", NULL};
static const char *const rule_examples[] = {
    "knsctl rule add 'drop if title ~ /sponsored|広告/i'",
    "knsctl rule add 'tag ml/papers, score +5 if url has arxiv.org and not category = math'",
    "knsctl rule test 'star if author = \"Jane Doe\"' --last 7d", NULL};
static const char *const digest_examples[] = {
    "knsctl digest --since 7d --format html -o digest.html", NULL};

static const char *const template_examples[] = {
    "knsctl template item.html > /etc/kns/templates/item.html.mustache", NULL};
static const char *const issue_examples[] = {"knsctl issue suggest -n 7", "knsctl issue edit",
                                             "knsctl issue publish",
                                             "knsctl issue show 12 --format html -o 12.html", NULL};

static const struct kns_verb verbs[] = {
    {"add", "Subscriptions", "URL…", KNS_OPERAND_URL, 1, MANY, false, "subscribe", add_options,
     "The URL is fetched once; a page is searched for the feed that it names.", add_examples,
     kns_cmd_add, NULL},
    {"remove", "Subscriptions", "FEED…", KNS_OPERAND_FEED, 1, MANY, false, "unsubscribe", NULL,
     NULL, NULL, kns_cmd_remove, NULL},
    {"pause", "Subscriptions", "FEED…", KNS_OPERAND_FEED, 1, MANY, false, "stop polling", NULL,
     NULL, NULL, kns_cmd_pause, NULL},
    {"resume", "Subscriptions", "FEED…", KNS_OPERAND_FEED, 1, MANY, false, "poll again", NULL, NULL,
     NULL, kns_cmd_resume, NULL},
    {"edit", "Subscriptions", "FEED", KNS_OPERAND_FEED, 1, 1, false, "change a subscription",
     edit_options, NULL, NULL, kns_cmd_edit, NULL},
    {"feeds", "Subscriptions", "", KNS_OPERAND_NONE, 0, 0, false,
     "list subscriptions with their health", feeds_options, NULL, NULL, kns_cmd_feeds, NULL},
    {"refresh", "Subscriptions", "[FEED…]", KNS_OPERAND_FEED, 0, MANY, false, "poll now",
     refresh_options, NULL, NULL, kns_cmd_refresh, NULL},
    {"import", "Subscriptions", "FILE", KNS_OPERAND_FILE, 1, 1, false,
     "subscribe to what an OPML file lists (- is standard input)", NULL, NULL, NULL, kns_cmd_import,
     NULL},
    {"export", "Subscriptions", "", KNS_OPERAND_NONE, 0, 0, false,
     "print subscriptions as OPML or JSON", export_options, NULL, NULL, kns_cmd_export, NULL},
    {"list", "Articles", "", KNS_OPERAND_NONE, 0, 0, false, "list what is new", list_options, NULL,
     list_examples, kns_cmd_list, NULL},
    {"search", "Articles", "QUERY…", KNS_OPERAND_TEXT, 1, MANY, false,
     "find articles by their words", search_options,
     "\"a phrase\", -without, this OR that, title:word, author:name, begin*.", search_examples,
     kns_cmd_search, NULL},
    {"show", "Articles", "ITEM", KNS_OPERAND_ITEM, 1, 1, false, "show one article", NULL, NULL,
     NULL, kns_cmd_show, NULL},
    {"mark", "Articles", "read|unread|star|unstar ITEM…", KNS_OPERAND_ITEM, 2, MANY, false,
     "set the flags of articles", NULL, NULL, NULL, kns_cmd_mark, NULL},
    {"tag", "Articles", "ITEM +TAG… -TAG…", KNS_OPERAND_ITEM, 2, MANY, true,
     "add and remove an article's tags", NULL, NULL, NULL, kns_cmd_tag, NULL},
    {"why", "Articles", "ITEM|FEED", KNS_OPERAND_ITEM, 1, 1, false,
     "explain an article's identity, or a feed's health", why_options, NULL, NULL, kns_cmd_why,
     NULL},
    {"split", "Articles", "ITEM [FEED]", KNS_OPERAND_ITEM, 1, 2, false,
     "make two articles of one that was joined wrongly", NULL,
     "What FEED carries (the last one that joined, if none is named) becomes an article of its "
     "own, "
     "and stays one.",
     NULL, kns_cmd_split, NULL},
    {"rule", "Articles", "add|list|test|remove|import|export …", KNS_OPERAND_TEXT, 1, MANY, true,
     "have things done to articles as they arrive", rule_options,
     "A rule is ACTION, ACTION… if CONDITION and CONDITION…. Actions: drop, star, read, tag NAME, "
     "score +N. Conditions: [not] FIELD OP VALUE; the fields feed, tag, title, author, url, "
     "category, content; OP is = (the same), has (contains) or ~ (matches /a regular "
     "expression/i). "
     "add RULE; list; test [RULE|ID]; remove ID…; import FILE; export.",
     rule_examples, kns_cmd_rule, NULL},
    {"links", "Articles", "", KNS_OPERAND_NONE, 0, 0, false,
     "list addresses that several feeds name and none carries", links_options, NULL, NULL,
     kns_cmd_links, NULL},
    {"watch", "Articles", "", KNS_OPERAND_NONE, 0, 0, false, "print new articles as they come",
     watch_options, NULL, NULL, kns_cmd_watch, NULL},
    {"digest", "Articles", "", KNS_OPERAND_NONE, 0, 0, false, "make a digest of articles",
     digest_options, NULL, digest_examples, kns_cmd_digest, NULL},
    {"issue", "Newsletter", "[ACTION …]", KNS_OPERAND_TEXT, 0, MANY, false,
     "make the next issue of a newsletter, and keep the past ones", issue_options,
     "Alone it shows the draft. suggest; add ITEM|URL…; drop ITEM…; move ITEM; note ITEM "
     "[TEXT…|-]; intro [TEXT…|-]; edit "
     "[FILE|-] (all of it, in $EDITOR); show [N]; preview; lint; publish; list; correct N; send N; "
     "import FILE|DIR|FEED-URL…; discard.",
     issue_examples, kns_cmd_issue,
     "suggest|add|drop|move|note|intro|edit|show|preview|lint|publish|list|correct|send|import|"
     "discard"},
    {"site", "Newsletter", "DIR", KNS_OPERAND_FILE, 1, 1, false,
     "write all issues as a static site", site_options, NULL, NULL, kns_cmd_site, NULL},
    {"template", "Newsletter", "[NAME]", KNS_OPERAND_TEXT, 0, 1, false,
     "list the built-in templates of digests and issues, or print one", NULL,
     "A changed copy, NAME.mustache in the folder of [digest] template_dir, takes its place.",
     template_examples, kns_cmd_template, NULL},
    {"status", "Daemon", "", KNS_OPERAND_NONE, 0, 0, false, "show the daemon's figures", NULL, NULL,
     NULL, kns_cmd_status, NULL},
    {"backup", "Daemon", "FILE", KNS_OPERAND_FILE, 1, 1, false, "copy the live database", NULL,
     "The daemon writes the file: it must be allowed to.", NULL, kns_cmd_backup, NULL},
    {"check", "Daemon", "", KNS_OPERAND_NONE, 0, 0, false, "verify the database", check_options,
     NULL, NULL, kns_cmd_check, NULL},
    {"parse", "Documents", "FILE", KNS_OPERAND_FILE, 1, 1, false,
     "print a feed or a newsletter as JSON Feed, without a daemon (- is standard input)",
     parse_options, NULL, NULL, kns_cmd_parse, NULL},
    {"help", "Documents", "[VERB]", KNS_OPERAND_VERB, 0, 1, false, "say what a verb does and takes",
     NULL, NULL, NULL, kns_cmd_help, NULL},
    {"completion", "Documents", "bash|zsh|fish", KNS_OPERAND_NONE, 1, 1, false,
     "print the completion script for a shell", NULL, NULL, NULL, kns_cmd_completion, NULL},
    {0},
};

static const struct kns_verb *find_verb(const char *name)
{
    for (const struct kns_verb *verb = verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *names[sizeof(verbs) / sizeof(verbs[0])];
    size_t n = 0;

    for (const struct kns_verb *verb = verbs; verb->name != NULL; verb++)
        names[n++] = verb->name;
    const char *near = kns_suggest(name, names, n);
    fprintf(stderr, "knsctl: no such verb: %s%s%s%s\n", name,
            near == NULL ? " (see knsctl --help)" : " (did you mean ", near == NULL ? "" : near,
            near == NULL ? "" : "?)");
    return KNS_EXIT_USAGE;
}

int kns_cmd_help(struct kns_call *call)
{
    if (call->args.n_operands == 0) {
        kns_usage_all(stdout, verbs, common);
        return KNS_EXIT_OK;
    }
    const struct kns_verb *verb = find_verb(call->args.operands[0]);
    if (verb == NULL)
        return unknown_verb(call->args.operands[0]);
    kns_usage_verb(stdout, verb, common);
    return KNS_EXIT_OK;
}

int kns_cmd_completion(struct kns_call *call)
{
    if (kns_completion_print(stdout, call->args.operands[0], verbs, common))
        return KNS_EXIT_OK;
    return kns_call_fail(call, KNS_EXIT_USAGE, "completion: \"%s\": expected bash, zsh or fish",
                         call->args.operands[0]);
}

static bool needs_daemon(const struct kns_call *call)
{
    static int (*const alone[])(struct kns_call *) = {kns_cmd_parse, kns_cmd_template, kns_cmd_help,
                                                      kns_cmd_completion};

    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
        if (call->args.verb->run == alone[i])
            return false;
    return call->args.verb->run != kns_cmd_check ||
           !(kns_args_has(&call->args, "db") || kns_args_has(&call->args, "salvage"));
}

static int run_verb(struct kns_call *call)
{
    const char *color = kns_args_value(&call->args, "color");

    kns_out_init(call->out, color == NULL ? "auto" : color);
    call->json = kns_args_has(&call->args, "json");
    call->now = kns_time_now();
    if (needs_daemon(call)) {
        call->client = kns_client_new(kns_args_value(&call->args, "socket"));
        if (call->client == NULL)
            return kns_call_fail(call, KNS_EXIT_FAILED, "out of memory");
    }
    int status = call->args.verb->run(call);
    kns_client_free(call->client);
    return status;
}

static int run(struct kns_call *call, int argc, char **argv)
{
    struct kns_error err = {0};
    int taken = 0;

    call->args.common = common;
    if (kns_args_parse_common(&call->args, call->arena, argc, argv, &taken, &err) != KNS_OK)
        return kns_call_fail(call, KNS_EXIT_USAGE, "%s", err.message);
    if (kns_args_has(&call->args, "version")) {
        puts("knsctl " KNS_VERSION);
        return KNS_EXIT_OK;
    }
    if (taken == argc || kns_args_has(&call->args, "help")) {
        bool asked = kns_args_has(&call->args, "help");
        kns_usage_all(asked ? stdout : stderr, verbs, common);
        return asked ? KNS_EXIT_OK : KNS_EXIT_USAGE;
    }
    call->args.verb = find_verb(argv[taken]);
    if (call->args.verb == NULL)
        return unknown_verb(argv[taken]);
    if (kns_args_parse(&call->args, call->arena, argc - taken - 1, argv + taken + 1, &err) !=
        KNS_OK) {
        /* A suggestion is the way on already. */
        bool suggests = strstr(err.message, "(did you mean ") != NULL;
        return kns_call_fail(call, KNS_EXIT_USAGE, "%s: %s%s%s%s", argv[taken], err.message,
                             suggests ? "" : " (see knsctl ", suggests ? "" : argv[taken],
                             suggests ? "" : " --help)");
    }
    if (kns_args_has(&call->args, "help")) {
        kns_usage_verb(stdout, call->args.verb, common);
        return KNS_EXIT_OK;
    }
    return run_verb(call);
}

int main(int argc, char **argv)
{
    struct kns_out out;
    struct kns_call call = {.arena = kns_arena_new(0), .out = &out};

    setlocale(LC_ALL, "");
    if (call.arena == NULL) {
        fputs("knsctl: out of memory\n", stderr);
        return KNS_EXIT_FAILED;
    }
    int status = run(&call, argc - 1, argv + 1);
    /* A full disk is found out at the latest here. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == KNS_EXIT_OK)
        status = kns_call_fail(&call, KNS_EXIT_FAILED, "cannot write to standard output");
    kns_arena_free(call.arena);
    return status;
}
