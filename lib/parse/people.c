/* Authors: elements with parts, and texts that hold a name, a mail or both. */
#include "lib/parse.h"
#include "lib/parse/builder_internal.h"
#include "lib/url.h"

#include <string.h>
#include <strings.h>

/* A piece of a longer text. */
struct span {
    const char *at;
    size_t len;
};

static struct span trimmed(struct span s)
{
    while (s.len > 0 && s.at[0] == ' ') {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && s.at[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* An address may be written as its URI (RFC 6068). */
static struct span without_mailto(struct span s)
{
    static const char scheme[] = "mailto:";
    size_t len = sizeof(scheme) - 1;

    if (s.len <= len || strncasecmp(s.at, scheme, len) != 0)
        return s;
    return (struct span){s.at + len, s.len - len};
}

static bool is_email(struct span s)
{
    const char *at = memchr(s.at, '@', s.len);

    return at != NULL && at > s.at && at + 1 < s.at + s.len && memchr(s.at, ' ', s.len) == NULL &&
           memchr(s.at, '<', s.len) == NULL &&
           memchr(at + 1, '@', (size_t)(s.at + s.len - at - 1)) == NULL;
}

/* A display name may stand in quotes (RFC 5322 3.4). */
static struct span without_quotes(struct span s)
{
    bool quoted = s.len > 2 && s.at[0] == '"' && s.at[s.len - 1] == '"' &&
                  memchr(s.at + 1, '"', s.len - 2) == NULL;

    return quoted ? (struct span){s.at + 1, s.len - 2} : s;
}

static const char *copied(struct builder *b, struct span s)
{
    const char *copy = s.len == 0 ? NULL : kns_arena_copy(b->arena, s.at, s.len);

    b->failed = b->failed || (s.len > 0 && copy == NULL);
    return copy;
}

/* The text before the last part in brackets, and what stands in them; false: it ends in none. */
static bool split_brackets(const char *text, struct span *ret_outer, struct span *ret_inner)
{
    const char *open = strchr(text, '(');
    char close = ')';

    if (open == NULL) {
        open = strchr(text, '<');
        close = '>';
    }
    const char *end = open == NULL ? NULL : strrchr(open, close);
    if (end == NULL || end[1] != '\0')
        return false;
    *ret_outer = trimmed((struct span){text, (size_t)(open - text)});
    *ret_inner = trimmed((struct span){open + 1, (size_t)(end - open - 1)});
    return true;
}

/* "mail (name)" and "name (mail)", "name <mail>", a mail alone, a name alone. */
static void split_person(struct builder *b, const char *text, struct kns_person *person)
{
    struct span mail, name, inner;

    if (split_brackets(text, &name, &inner)) {
        mail = without_mailto(inner);
        if (!is_email(mail)) {
            mail = without_mailto(name);
            name = inner;
        }
    } else {
        mail = without_mailto((struct span){text, strlen(text)});
        name = (struct span){NULL, 0};
    }
    if (!is_email(mail)) {
        person->name = text;
        return;
    }
    person->email = copied(b, mail);
    person->name = copied(b, without_quotes(name));
}

/* Where the authors go of what the frame stands in. */
static struct kns_people *people_of(struct builder *b, const struct frame *f)
{
    if (f[-1].place == IN_SOURCE)
        return &b->source_authors;
    return b->entry != NULL ? &b->entry->authors : &b->document->authors;
}

void kns_builder_add_person(struct builder *b, const struct frame *f, struct kns_person *person)
{
    struct kns_people *people = people_of(b, f);

    if (people->count < KNS_PARSE_MAX_LIST)
        KNS_LIST_APPEND(people, person);
}

void kns_builder_settle_authors(struct builder *b, struct kns_entry *entry)
{
    if (entry->authors.count == 0)
        entry->authors = b->source_authors;
}

static bool same(const char *x, const char *y)
{
    return x != NULL && y != NULL && strcmp(x, y) == 0;
}

static bool is_known(const struct kns_people *people, const struct kns_person *person)
{
    const struct kns_person *known;

    KNS_LIST_EACH(known, people)
    if (same(known->name, person->name) ||
        (same(known->email, person->email) && person->name == NULL))
        return true;
    return false;
}

void kns_apply_person(struct builder *b, const struct frame *f, const char *text)
{
    const char *line = kns_builder_line(b, text);

    if (line == NULL)
        return;
    struct kns_person *person = KNS_NEW(b->arena, struct kns_person);
    if (person == NULL) {
        b->failed = true;
        return;
    }
    split_person(b, line, person);
    if (!is_known(people_of(b, f), person))
        kns_builder_add_person(b, f, person);
}

void kns_apply_person_part(struct builder *b, const struct frame *f, const char *text)
{
    const char *line = kns_builder_line(b, text);

    if (b->person == NULL || line == NULL)
        return;
    if (f->row->field == F_TITLE && b->person->name == NULL)
        b->person->name = line;
    else if (f->row->field == F_ID && b->person->email == NULL)
        b->person->email = line;
    else if (f->row->field == F_URL && b->person->url == NULL)
        b->person->url = kns_url_resolve(b->arena, kns_builder_base(b, f), line);
}
