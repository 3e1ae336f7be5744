#include "daemon/config.h"

#include "daemon/command.h"
#include "daemon/hub.h"
#include "daemon/log.h"
#include "lib/store.h"
#include "lib/text.h"
#include "lib/time.h"
#include "lib/url.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- the one table of keys -------------------------------------------------------------------------------------- */

enum type {
    TEXT,
    PATH,
    OTHER_PATH, /* one that may be empty: none */
    COMMAND,
    URL,
    MAIL_SERVER,
    MAILBOX,
    CALLBACK,
    ADDRESS,
    PROXY,
    LANGUAGE, /* the last that is kept as text */
    SPAN,
    COUNT,
    NUMBER,
    BYTES,
    MODE,
    CHOICE
};

/* A word and the number it stands for; ends with NULL. */
struct choice {
    const char *word;
    int value;
};

static const struct choice log_levels[] = {{"error", KNS_LOG_ERROR},
                                           {"warning", KNS_LOG_WARNING},
                                           {"info", KNS_LOG_INFO},
                                           {"debug", KNS_LOG_DEBUG},
                                           {NULL, 0}};
static const struct choice private_choices[] = {{"never", KNS_PRIVATE_NEVER},
                                                {"direct", KNS_PRIVATE_DIRECT},
                                                {"always", KNS_PRIVATE_ALWAYS},
                                                {NULL, 0}};
static const struct choice yes_no[] = {{"no", 0}, {"yes", 1}, {NULL, 0}};
static const struct choice sync_choices[] = {
    {"full", KNS_STORE_SYNC_FULL}, {"normal", KNS_STORE_SYNC_NORMAL}, {NULL, 0}};

static const struct choice tls_choices[] = {{"required", KNS_MAIL_TLS_REQUIRED},
                                            {"try", KNS_MAIL_TLS_TRY},
                                            {"never", KNS_MAIL_TLS_NEVER},
                                            {NULL, 0}};

struct key {
    const char *section, *name;
    enum type type;
    size_t offset;
    const char *initial;
    const struct choice *choices;
    const char *help;
};

#define AT(member) offsetof(struct kns_config, member)

static const struct key keys[] = {
    {"daemon", "socket", PATH, AT(daemon.socket), "", NULL, "where knsd answers"},
    {"daemon", "socket_mode", MODE, AT(daemon.socket_mode), "0660", NULL,
     "who may ask: the socket's permissions, octal"},
    {"daemon", "state_dir", PATH, AT(daemon.state_dir), "", NULL, "where the database is"},
    {"daemon", "log_level", CHOICE, AT(daemon.log_level), "info", log_levels,
     "error, warning, info or debug"},
    {"poll", "interval", SPAN, AT(poll.interval_s), "1h", NULL,
     "between polls, where neither the feed nor its server says more"},
    {"poll", "min_interval", SPAN, AT(poll.min_interval_s), "15m", NULL,
     "no hint makes it faster than this"},
    {"poll", "max_interval", SPAN, AT(poll.max_interval_s), "24h", NULL,
     "and none but Retry-After and a feed's own --every slower than this"},
    {"poll", "concurrency", COUNT, AT(poll.concurrency), "64", NULL, "transfers in flight"},
    {"poll", "per_host", COUNT, AT(poll.per_host), "2", NULL, "of them to one site"},
    {"poll", "timeout", SPAN, AT(poll.timeout_s), "30s", NULL, "for one poll, redirects included"},
    {"poll", "max_size", BYTES, AT(poll.max_size_bytes), "16M", NULL,
     "decoded bytes of one document"},
    {"poll", "user_agent", TEXT, AT(poll.user_agent), "", NULL,
     "what servers are told; empty: kns/VERSION (+URL)"},
    {"poll", "proxy", PROXY, AT(poll.proxy), "", NULL, "for all transfers; empty: none"},
    {"poll", "private_networks", CHOICE, AT(poll.private_networks), "direct", private_choices,
     "never: no loopback, link-local or private address; direct: only where the subscribed URL "
     "itself names it; always"},
    {"poll", "file_sources", CHOICE, AT(poll.file_sources), "no", yes_no,
     "yes: root, or who knsd runs as, may subscribe to file:/PATH"},
    {"poll", "exec_sources", CHOICE, AT(poll.exec_sources), "no", yes_no,
     "yes: root, or who knsd runs as, may subscribe to exec:/PROGRAM ARGUMENT..."},
    {"store", "keep_days", NUMBER, AT(store.keep_days), "0", NULL,
     "items older than this are removed; 0 keeps everything; starred ones are kept"},
    {"store", "keep_items_per_feed", NUMBER, AT(store.keep_items_per_feed), "0", NULL,
     "more than this are removed, oldest first; 0 keeps everything"},
    {"store", "synchronous", CHOICE, AT(store.synchronous), "full", sync_choices,
     "full: a commit survives a power cut; normal: it survives a crash, and a power cut may lose "
     "the last ones"},
    {"hooks", "on_item", COMMAND, AT(hooks.on_item), "", NULL,
     "run for each new item, which comes as JSON on its standard input; no shell; empty: none"},
    {"hooks", "timeout", SPAN, AT(hooks.timeout_s), "30s", NULL, "for one run"},
    {"hooks", "concurrency", COUNT, AT(hooks.concurrency), "2", NULL, "runs at the same time"},
    {"websub", "callback_url", CALLBACK, AT(websub.callback_url), "", NULL,
     "under which hubs reach knsd; empty: no feed is subscribed to at its hub"},
    {"websub", "listen", ADDRESS, AT(websub.listen), "", NULL,
     "where callbacks arrive by TCP; empty: at callback_url's address where that is plain http on "
     "this machine, else a reverse proxy brings them to the socket"},
    {"digest", "title", TEXT, AT(digest.title), "Weekly Kaggle News", NULL, "of digests"},
    {"digest", "base_url", URL, AT(digest.base_url), "", NULL,
     "where digests are published: the base of their ids and links"},
    {"digest", "language", LANGUAGE, AT(digest.language), "", NULL, "BCP 47, such as ja"},
    {"digest", "template_dir", OTHER_PATH, AT(digest.template_dir), "", NULL,
     "templates in this folder replace those of the same name"},
    {"mail", "server", MAIL_SERVER, AT(mail.server), "", NULL,
     "smtp://HOST:587 or smtps://HOST: what issues are sent through"},
    {"mail", "user", TEXT, AT(mail.user), "", NULL, "log in with this name"},
    {"mail", "password_file", OTHER_PATH, AT(mail.password_file), "", NULL,
     "and the password on this file's first line"},
    {"mail", "from", MAILBOX, AT(mail.from), "", NULL, "an address, or Name <address>"},
    {"mail", "ca_file", OTHER_PATH, AT(mail.ca_file), "", NULL,
     "the authorities that its certificate may come from; empty: the system's"},
    {"mail", "tls", CHOICE, AT(mail.tls), "required", tls_choices,
     "required, try (where the server offers it) or never"},
};

/* Those of every [newsletter NAME]. */
#define OF(member) offsetof(struct kns_config_newsletter, member)

static const struct key newsletter_keys[] = {
    {"newsletter", "title", TEXT, OF(title), "", NULL, "of the newsletter; empty: its name"},
    {"newsletter", "issue_title", TEXT, OF(issue_title), "{title} #{number}", NULL,
     "of its issues: {title} and {number} are filled in"},
    {"newsletter", "first_number", COUNT, OF(first_number), "1", NULL, "of its first issue"},
    {"newsletter", "sections", TEXT, OF(sections), "", NULL,
     "its sections in their order, separated by commas; empty: any"},
    {"newsletter", "base_url", URL, OF(base_url), "", NULL, "where its site is published"},
    {"newsletter", "language", LANGUAGE, OF(language), "", NULL, "BCP 47, such as ja"},
    {"newsletter", "author", TEXT, OF(author), "", NULL, "who makes it"},
    {"newsletter", "email", MAILBOX, OF(email), "", NULL, "and how to reach them"},
    {"newsletter", "link_parameters", TEXT, OF(link_parameters), "", NULL,
     "put on its links in mail, such as utm_source=weekly"},
};

#define N_NEWSLETTER_KEYS (sizeof(newsletter_keys) / sizeof(newsletter_keys[0]))

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *const expected[] = {
    [TEXT] = "text in UTF-8, without control characters",
    [PATH] = "an absolute path",
    [OTHER_PATH] = "an absolute path",
    [COMMAND] = "the absolute path of a program, and its arguments",
    [URL] = "an http or https URL",
    [MAIL_SERVER] = "smtp://HOST, smtp://HOST:PORT or smtps://HOST",
    [MAILBOX] = "an address such as curator@example.org",
    [CALLBACK] = "an http or https URL without user, ? and #",
    [ADDRESS] = "an address and a port, such as 127.0.0.1:8080 or [::1]:8080",
    [PROXY] = "an http, https or socks URL",
    [LANGUAGE] = "a language tag such as ja or en-GB",
    [SPAN] = "a length of time such as 90s, 30m, 1h or 7d",
    [COUNT] = "a number from 1 to 10000",
    [NUMBER] = "a number, 0 or more",
    [BYTES] = "a size such as 500K, 16M or 1G",
    [MODE] = "permissions in octal, such as 0660",
};

/* ---- values -------------------------------------------------------------------------------------------------------- */

static bool parse_number(const char *text, int64_t least, int64_t most, int64_t *ret)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < least || number > most)
        return false;
    *ret = number;
    return true;
}

static bool parse_bytes(const char *text, int64_t *ret)
{
    static const char units[] = "KMG";
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    const char *unit = *end == '\0' ? NULL : strchr(units, *end);
    if (end == text || errno != 0 || number < 1 || number > (1 << 20) * 16LL ||
        (*end != '\0' && (unit == NULL || end[1] != '\0')))
        return false;
    int shift = unit == NULL ? 0 : 10 * (int)(unit - units + 1);
    *ret = (int64_t)number << shift;
    return *ret <= INT64_C(16) << 30;
}

static bool parse_mode(const char *text, unsigned *ret)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);

    if (end == text || *end != '\0' || mode > 0777)
        return false;
    *ret = (unsigned)mode;
    return true;
}

static bool parse_choice(const struct choice *choices, const char *text, int *ret)
{
    for (; choices->word != NULL; choices++)
        if (strcmp(choices->word, text) == 0) {
            *ret = choices->value;
            return true;
        }
    return false;
}

static bool set_text(char **field, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return false;
    free(*field);
    *field = copy;
    return true;
}

static bool is_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return false;
    return kns_text_is_utf8(text, strlen(text));
}

static bool is_language(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

    return *text == '\0' || (text[strspn(text, allowed)] == '\0' && *text != '-' &&
                             strcspn(text, "-") >= 2 && strcspn(text, "-") <= 8);
}

static bool is_mail_server(const char *text)
{
    const char *host = strncmp(text, "smtp://", 7) == 0    ? text + 7
                       : strncmp(text, "smtps://", 8) == 0 ? text + 8
                                                           : "";

    return *host != '\0' && strpbrk(host, " /?#@") == NULL;
}

/* USER@HOST, or Name <USER@HOST>: no more than what no address lacks. */
static bool is_mailbox(const char *text)
{
    const char *at = strrchr(text, '@');

    return at != NULL && at > text && strchr("<> ", at[-1]) == NULL && at[1] != '\0' &&
           strchr("<> ", at[1]) == NULL;
}

static bool is_address(const char *text)
{
    struct sockaddr_storage address;
    socklen_t size;

    return kns_hub_read_address(text, &address, &size);
}

static bool set_value(const struct key *key, void *field, const char *text)
{
    switch (key->type) {
    case TEXT:
        return is_text(text) && set_text(field, text);
    case PATH:
        return *text == '/' && is_text(text) && set_text(field, text);
    case OTHER_PATH:
        return (*text == '\0' || *text == '/') && is_text(text) && set_text(field, text);
    case COMMAND:
        return (*text == '\0' || kns_command_is_good(text)) && is_text(text) &&
               set_text(field, text);
    case URL:
        return (*text == '\0' || kns_url_is_web(text)) && is_text(text) && set_text(field, text);
    case MAIL_SERVER:
        return (*text == '\0' || is_mail_server(text)) && is_text(text) && set_text(field, text);
    case MAILBOX:
        return (*text == '\0' || is_mailbox(text)) && is_text(text) && set_text(field, text);
    case CALLBACK:
        return (*text == '\0' || (kns_url_is_web(text) && strpbrk(text, "?#@ ") == NULL)) &&
               is_text(text) && set_text(field, text);
    case ADDRESS:
        return (*text == '\0' || is_address(text)) && set_text(field, text);
    case PROXY:
        return (*text == '\0' || kns_url_is_web(text) || strncmp(text, "socks", 5) == 0) &&
               is_text(text) && set_text(field, text);
    case LANGUAGE:
        return is_language(text) && set_text(field, text);
    case SPAN:
        return kns_time_parse_span(text, field);
    case COUNT:
        return parse_number(text, 1, 10000, field);
    case NUMBER:
        return parse_number(text, 0, 1000000000, field);
    case BYTES:
        return parse_bytes(text, field);
    case MODE:
        return parse_mode(text, field);
    case CHOICE:
        return parse_choice(key->choices, text, field);
    }
    return false;
}

static const struct key *find_key(const char *section, const char *name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static bool is_section(const char *section)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].section, section) == 0)
            return true;
    return false;
}

static enum kns_status fail_section(const char *section, struct kns_error *err)
{
    return kns_fail(err, KNS_EINVAL, "there is no section [%s]", section);
}

static bool is_string(enum type type)
{
    return type <= LANGUAGE;
}

/* What is wrong with a value; one that is no text is not repeated: it might do something to a terminal. */
static enum kns_status fail_value(const struct key *key, const char *value, struct kns_error *err)
{
    char words[128] = "";

    for (const struct choice *choice = key->choices; choice != NULL && choice->word != NULL;
         choice++) {
        size_t len = strlen(words);
        snprintf(words + len, sizeof(words) - len, "%s%s",
                 len == 0                 ? ""
                 : choice[1].word == NULL ? " or "
                                          : ", ",
                 choice->word);
    }
    const char *wanted = key->type == CHOICE ? words : expected[key->type];
    if (!is_text(value))
        return kns_fail(err, KNS_EINVAL, "%s: expected %s", key->name, wanted);
    return kns_fail(err, KNS_EINVAL, "%s = %s: expected %s", key->name, value, wanted);
}

/* [newsletter NAME] */
#define NEWSLETTER "newsletter "

/* ---- newsletters -------------------------------------------------------------------------------------------------- */

static void fini_newsletter(struct kns_config_newsletter *newsletter)
{
    free(newsletter->name);
    for (size_t i = 0; i < N_NEWSLETTER_KEYS; i++)
        if (is_string(newsletter_keys[i].type))
            free(*(char **)((char *)newsletter + newsletter_keys[i].offset));
}

static struct kns_config_newsletter *add_newsletter(struct kns_config *config, const char *name,
                                                    struct kns_error *err)
{
    struct kns_config_newsletter *new = NULL, *more = NULL;

    if (*name == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0') {
        kns_fail(err, KNS_EINVAL,
                 "[newsletter %s]: expected a name of small letters, digits, - and _", name);
        return NULL;
    }
    if (config->n_newsletters == KNS_CONFIG_NEWSLETTERS_MOST) {
        kns_fail(err, KNS_ELIMIT, "more than %d newsletters", KNS_CONFIG_NEWSLETTERS_MOST);
        return NULL;
    }
    more = realloc(config->newsletters, (config->n_newsletters + 1) * sizeof(*more));
    if (more == NULL) {
        kns_fail(err, KNS_ENOMEM, "out of memory");
        return NULL;
    }
    config->newsletters = more;
    new = &more[config->n_newsletters++];
    memset(new, 0, sizeof(*new));
    bool good = set_text(&new->name, name);
    for (size_t i = 0; good && i < N_NEWSLETTER_KEYS; i++)
        good = set_value(&newsletter_keys[i], (char *)new + newsletter_keys[i].offset,
                         newsletter_keys[i].initial);
    good = good && set_text(&new->title, name);
    if (!good)
        kns_fail(err, KNS_ENOMEM, "out of memory");
    return good ? new : NULL;
}

static struct kns_config_newsletter *find_newsletter(struct kns_config *config, const char *name,
                                                     struct kns_error *err)
{
    name += strspn(name, " ");
    for (size_t i = 0; i < config->n_newsletters; i++)
        if (strcmp(config->newsletters[i].name, name) == 0)
            return &config->newsletters[i];
    return add_newsletter(config, name, err);
}

static enum kns_status set_of_newsletter(struct kns_config *config, const char *newsletter,
                                         const char *name, const char *value, struct kns_error *err)
{
    struct kns_config_newsletter *found = find_newsletter(config, newsletter, err);

    if (found == NULL)
        return err == NULL ? KNS_EINVAL : err->status;
    for (size_t i = 0; i < N_NEWSLETTER_KEYS; i++) {
        const struct key *key = &newsletter_keys[i];
        if (strcmp(key->name, name) != 0)
            continue;
        if (set_value(key, (char *)found + key->offset, value))
            return KNS_OK;
        return fail_value(key, value, err);
    }
    return kns_fail(err, KNS_EINVAL, "[newsletter %s] has no key \"%s\"", found->name, name);
}

enum kns_status kns_config_set(struct kns_config *config, const char *section, const char *name,
                               const char *value, struct kns_error *err)
{
    const struct key *key = find_key(section, name);

    if (strncmp(section, NEWSLETTER, strlen(NEWSLETTER)) == 0)
        return set_of_newsletter(config, section + strlen(NEWSLETTER), name, value, err);
    if (*section == '\0')
        return kns_fail(err, KNS_EINVAL, "\"%s\" stands before any [section]", name);
    if (key == NULL)
        return is_section(section)
                   ? kns_fail(err, KNS_EINVAL, "[%s] has no key \"%s\"", section, name)
                   : fail_section(section, err);
    if (set_value(key, (char *)config + key->offset, value))
        return KNS_OK;
    return fail_value(key, value, err);
}

/* ---- whole configurations ----------------------------------------------------------------------------------------------- */

/* $first/kns/NAME, else $HOME/second/kns/NAME; the caller frees. */
static char *user_path(const char *variable, const char *below_home, const char *name)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    char *path = NULL;
    int len;

    if (base != NULL && *base == '/')
        len = asprintf(&path, "%s/kns%s", base, name);
    else
        len = asprintf(&path, "%s/%s/kns%s", home == NULL ? "/tmp" : home, below_home, name);
    return len < 0 ? NULL : path;
}

/* The first of several directories that systemd names; the caller frees. NULL: it names none. */
static char *named_by_systemd(const char *variable, const char *name)
{
    const char *value = getenv(variable);
    char *path = NULL;

    if (value == NULL || *value != '/')
        return NULL;
    return asprintf(&path, "%.*s%s", (int)strcspn(value, ":"), value, name) < 0 ? NULL : path;
}

static bool set_paths(struct kns_config *config, bool as_service)
{
    char *socket = named_by_systemd("RUNTIME_DIRECTORY", "/kns.sock"),
         *state = named_by_systemd("STATE_DIRECTORY", "");

    if (socket == NULL)
        socket = as_service ? strdup("/run/kns/kns.sock")
                            : user_path("XDG_RUNTIME_DIR", ".cache", "/kns.sock");
    if (state == NULL)
        state =
            as_service ? strdup("/var/lib/kns") : user_path("XDG_STATE_HOME", ".local/state", "");
    free(config->daemon.socket);
    free(config->daemon.state_dir);
    config->daemon.socket = socket;
    config->daemon.state_dir = state;
    return socket != NULL && state != NULL;
}

struct kns_config *kns_config_new(bool as_service)
{
    struct kns_config *config = calloc(1, sizeof(*config));
    bool good = config != NULL;

    for (size_t i = 0; good && i < N_KEYS; i++)
        good = keys[i].type == PATH ||
               set_value(&keys[i], (char *)config + keys[i].offset, keys[i].initial);
    if (good && set_paths(config, as_service))
        return config;
    kns_config_free(config);
    return NULL;
}

void kns_config_free(struct kns_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < N_KEYS; i++)
        if (is_string(keys[i].type))
            free(*(char **)((char *)config + keys[i].offset));
    for (size_t i = 0; i < config->n_newsletters; i++)
        fini_newsletter(&config->newsletters[i]);
    free(config->newsletters);
    free(config);
}

/* A key that was set, and on which line. */
struct setting {
    char *section, *name;
    int line;
};

/* A file being read, and what was wrong first. inih hands line numbers to its handler only in builds of its own, and knows nothing
 * of sections without keys; so lines are counted, and sections looked at, as it asks for lines. */
struct reading {
    struct kns_config *config;
    FILE *file;
    int line;
    int bad_line;      /* 0: nothing wrong yet */
    int interval_line; /* that set min_interval or max_interval last */
    struct setting *settings;
    size_t n_settings;
    struct kns_error why;
};

static enum kns_status check_section(struct kns_config *config, char *text, struct kns_error *err)
{
    char *end = strchr(text, ']'),
         *rest = end == NULL ? NULL : end + 1 + strspn(end + 1, " \t\r\n");
    enum kns_status status = KNS_OK;

    if (end == NULL || (*rest != '\0' && strchr(";#", *rest) == NULL))
        return kns_fail(err, KNS_EINVAL, "expected [section], key = value, or a comment");
    *end = '\0';
    if (strncmp(text + 1, NEWSLETTER, strlen(NEWSLETTER)) == 0)
        status = find_newsletter(config, text + 1 + strlen(NEWSLETTER), err) == NULL ? KNS_EINVAL
                                                                                     : KNS_OK;
    else if (!is_section(text + 1))
        status = fail_section(text + 1, err);
    *end = ']';
    return status;
}

static char *refuse_line(struct reading *r)
{
    r->bad_line = r->line;
    return NULL;
}

/* inih takes a line in one piece, of which size is the most, and an indented one for more of the line before: neither is what
 * somebody who writes a configuration means. */
static char *read_line(char *text, int size, void *ctx)
{
    struct reading *r = ctx;

    if (r->bad_line != 0 || fgets(text, size, r->file) == NULL)
        return NULL;
    r->line++;
    size_t len = strlen(text), indent = strspn(text, " \t");
    bool whole = len > 0 && text[len - 1] == '\n';
    if (!whole && len + 1 == (size_t)size)
        kns_fail(&r->why, KNS_EINVAL, "the line is longer than %d bytes", size - 2);
    else if (!whole && !feof(r->file))
        kns_fail(&r->why, KNS_EINVAL, "a NUL byte is no text");
    if (r->why.status != KNS_OK)
        return refuse_line(r);
    memmove(text, text + indent, len - indent + 1);
    if (*text == '[' && check_section(r->config, text, &r->why) != KNS_OK)
        return refuse_line(r);
    return text;
}

/* The one that was set twice is most often not the one that was meant. */
static enum kns_status remember_setting(struct reading *r, const char *section, const char *name)
{
    for (size_t i = 0; i < r->n_settings; i++)
        if (strcmp(r->settings[i].section, section) == 0 && strcmp(r->settings[i].name, name) == 0)
            return kns_fail(&r->why, KNS_EINVAL, "%s is set twice, here and on line %d", name,
                            r->settings[i].line);
    struct setting *more = realloc(r->settings, (r->n_settings + 1) * sizeof(*more));
    if (more == NULL)
        return kns_fail(&r->why, KNS_ENOMEM, "out of memory");
    r->settings = more;
    more[r->n_settings] = (struct setting){strdup(section), strdup(name), r->line};
    if (more[r->n_settings].section != NULL && more[r->n_settings++].name != NULL)
        return KNS_OK;
    return kns_fail(&r->why, KNS_ENOMEM, "out of memory");
}

static void free_settings(struct reading *r)
{
    for (size_t i = 0; i < r->n_settings; i++) {
        free(r->settings[i].section);
        free(r->settings[i].name);
    }
    free(r->settings);
}

static int on_key(void *ctx, const char *section, const char *name, const char *value)
{
    struct reading *r = ctx;

    if (r->bad_line != 0)
        return 0;
    if (kns_config_set(r->config, section, name, value == NULL ? "" : value, &r->why) != KNS_OK ||
        remember_setting(r, section, name) != KNS_OK) {
        r->bad_line = r->line;
        return 0;
    }
    if (strcmp(name, "min_interval") == 0 || strcmp(name, "max_interval") == 0)
        r->interval_line = r->line;
    return 1;
}

enum kns_status kns_config_read(struct kns_config *config, const char *file, struct kns_error *err)
{
    struct reading r = {.config = config, .file = fopen(file, "re")};

    if (r.file == NULL)
        return kns_fail(err, errno == ENOENT ? KNS_ENOTFOUND : KNS_EIO, "%s: %s", file,
                        strerror(errno));
    errno = 0;
    int bad = ini_parse_stream(read_line, &r, on_key, &r);
    bool broken = ferror(r.file) != 0;
    int why = errno;
    fclose(r.file);
    free_settings(&r);
    if (broken)
        return kns_fail(err, KNS_EIO, "%s: %s", file, strerror(why));
    if (r.bad_line != 0 && (bad <= 0 || bad >= r.bad_line))
        return kns_fail(err, KNS_EINVAL, "%s:%d: %s", file, r.bad_line, r.why.message);
    if (bad != 0)
        return kns_fail(err, KNS_EINVAL, "%s:%d: expected [section], key = value, or a comment",
                        file, bad);
    if (config->poll.min_interval_s > config->poll.max_interval_s)
        return kns_fail(err, KNS_EINVAL, "%s:%d: min_interval is longer than max_interval", file,
                        r.interval_line);
    return KNS_OK;
}

static bool is_same(const struct key *key, const void *a, const void *b)
{
    if (is_string(key->type))
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    if (key->type == MODE)
        return *(const unsigned *)a == *(const unsigned *)b;
    if (key->type == CHOICE)
        return *(const int *)a == *(const int *)b;
    return *(const int64_t *)a == *(const int64_t *)b;
}

void kns_config_list_late(const struct kns_config *before, const struct kns_config *after,
                          char *out, size_t size)
{
    static const char *const late[][2] = {{"daemon", "socket"},
                                          {"daemon", "socket_mode"},
                                          {"daemon", "state_dir"},
                                          {"store", "synchronous"},
                                          {"websub", "listen"}};

    *out = '\0';
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        const struct key *key = find_key(late[i][0], late[i][1]);
        size_t len = strlen(out);
        if (!is_same(key, (const char *)before + key->offset, (const char *)after + key->offset))
            snprintf(out + len, size - len, "%s%s", len == 0 ? "" : ", ", key->name);
    }
}

static void print_value(const struct key *key, const void *field, FILE *out)
{
    switch (key->type) {
    case TEXT:
    case PATH:
    case OTHER_PATH:
    case COMMAND:
    case URL:
    case MAIL_SERVER:
    case MAILBOX:
    case CALLBACK:
    case ADDRESS:
    case PROXY:
    case LANGUAGE:
        fputs(*(char *const *)field, out);
        break;
    case SPAN:
        fprintf(out, "%llds", (long long)*(const int64_t *)field);
        break;
    case COUNT:
    case NUMBER:
    case BYTES:
        fprintf(out, "%lld", (long long)*(const int64_t *)field);
        break;
    case MODE:
        fprintf(out, "%04o", *(const unsigned *)field);
        break;
    case CHOICE:
        for (const struct choice *choice = key->choices; choice->word != NULL; choice++)
            if (choice->value == *(const int *)field)
                fputs(choice->word, out);
        break;
    }
}

void kns_config_print(const struct kns_config *config, FILE *out)
{
    const char *section = "";

    for (size_t i = 0; i < N_KEYS; i++) {
        if (strcmp(section, keys[i].section) != 0)
            fprintf(out, "%s[%s]\n", *section == '\0' ? "" : "\n", keys[i].section);
        section = keys[i].section;
        fprintf(out, "; %s\n%s = ", keys[i].help, keys[i].name);
        print_value(&keys[i], (const char *)config + keys[i].offset, out);
        fputc('\n', out);
    }
    for (size_t n = 0; n < config->n_newsletters; n++) {
        fprintf(out, "\n[newsletter %s]\n", config->newsletters[n].name);
        for (size_t i = 0; i < N_NEWSLETTER_KEYS; i++) {
            const struct key *key = &newsletter_keys[i];
            fprintf(out, "; %s\n%s = ", key->help, key->name);
            print_value(key, (const char *)&config->newsletters[n] + key->offset, out);
            fputc('\n', out);
        }
    }
}
