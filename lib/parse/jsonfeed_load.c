/* Text as JSON. What jansson refuses is copied with its small flaws mended and tried again; where that fails too, the items that
 * are whole are what there is. */
#include "lib/parse/jsonfeed_load.h"

#include "lib/buf.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A NUL inside a string is dropped when it is copied; refusing it would cost the whole document. */
#define LOAD_FLAGS JSON_ALLOW_NUL

#define MAX_DIGITS 18 /* of an integer that certainly fits into 64 bits */

struct mender {
    const char *at, *end;
    struct kns_buf out;
    bool flawed;
};

/* The four hexadecimal digits of an escape at its backslash; -1: it has none. */
static int32_t escaped_unit(const struct mender *m, const char *at)
{
    char digits[5] = "";

    if (m->end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)at[2 + i]))
            return -1;
        digits[i] = at[2 + i];
    }
    return (int32_t)strtol(digits, NULL, 16);
}

/* An escape in a string: half of a surrogate pair stands for no character, a backslash before anything that needs none for itself. */
static void mend_escape(struct mender *m)
{
    int32_t unit = escaped_unit(m, m->at), low = escaped_unit(m, m->at + (unit < 0 ? 0 : 6));
    bool pair = unit >= 0xD800 && unit < 0xDC00 && low >= 0xDC00 && low < 0xE000;
    size_t len = pair ? 12 : unit >= 0 ? 6 : 2;

    if (unit >= 0xD800 && unit < 0xE000 && !pair) {
        kns_buf_adds(&m->out, "\\ufffd");
        m->flawed = true;
    } else if (unit >= 0 ||
               (m->end - m->at > 1 && strchr("\"\\/bfnrt", m->at[1]) != NULL && m->at[1] != '\0')) {
        kns_buf_add(&m->out, m->at, len);
    } else {
        len = 1;
        m->flawed = true;
    }
    m->at += len;
}

/* A string from behind its opening quote to behind the closing one: controls are to be escaped (RFC 8259 7). */
static void mend_string(struct mender *m)
{
    while (m->at < m->end && *m->at != '"') {
        unsigned char c = (unsigned char)*m->at;
        if (c == '\\') {
            mend_escape(m);
            continue;
        }
        if (c < 0x20) {
            kns_buf_addf(&m->out, "\\u%04x", c);
            m->flawed = true;
        } else {
            kns_buf_addc(&m->out, (char)c);
        }
        m->at++;
    }
    if (m->at < m->end)
        kns_buf_addc(&m->out, *m->at++);
}

/* A number: one that is too large for the machine is still what its digits say, which a string holds. */
static void mend_number(struct mender *m)
{
    size_t len = 0, digits = 0;
    bool real = false;

    while (m->at + len < m->end && (isalnum((unsigned char)m->at[len]) ||
                                    (m->at[len] != '\0' && strchr("+-.", m->at[len]) != NULL))) {
        digits += isdigit((unsigned char)m->at[len]) != 0;
        real = real || strchr(".eE", m->at[len]) != NULL;
        len++;
    }
    bool large = real ? len < 400 && isinf(strtod(m->at, NULL)) : digits > MAX_DIGITS;
    if (large)
        kns_buf_addc(&m->out, '"');
    kns_buf_add(&m->out, m->at, len);
    if (large)
        kns_buf_addc(&m->out, '"');
    m->at += len;
}

/* A comma, unless nothing but a closing bracket follows. */
static void mend_comma(struct mender *m)
{
    const char *next = m->at + 1;

    while (next < m->end && isspace((unsigned char)*next))
        next++;
    if (next < m->end && (*next == ']' || *next == '}'))
        m->flawed = true;
    else
        kns_buf_addc(&m->out, ',');
    m->at++;
}

static void mend(struct mender *m)
{
    while (m->at < m->end && !kns_buf_failed(&m->out)) {
        if (*m->at == '"') {
            kns_buf_addc(&m->out, *m->at++);
            mend_string(m);
        } else if (isdigit((unsigned char)*m->at) || *m->at == '-') {
            mend_number(m);
        } else if (*m->at == ',') {
            mend_comma(m);
        } else {
            kns_buf_addc(&m->out, *m->at++);
        }
    }
}

/* Where the last element ended of an array in the outermost object, within size bytes; 0: nowhere. */
static size_t end_of_last_element(const char *utf8, size_t size)
{
    bool in_string = false, in_array = false;
    size_t depth = 0, end = 0;

    for (size_t i = 0; i < size; i++) {
        char c = utf8[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            in_array = depth == 2 ? c == '[' : in_array;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
            end = depth == 2 && in_array ? i + 1 : end;
        }
    }
    return end;
}

/* A feed that was cut, or broken, behind whole items: those. NULL: there are none. */
static json_t *load_whole_items(const char *utf8, size_t size, const json_error_t *where)
{
    size_t broken = where->position > 0 ? (size_t)where->position : 0;
    size_t end = end_of_last_element(utf8, broken < size ? broken : size);
    struct kns_buf text = {0};

    if (end == 0)
        return NULL;
    kns_buf_add(&text, utf8, end);
    kns_buf_adds(&text, "]}");
    json_t *feed = kns_buf_failed(&text) ? NULL : json_loadb(text.data, text.len, LOAD_FLAGS, NULL);
    kns_buf_fini(&text);
    if (json_array_size(json_object_get(feed, "items")) > 0)
        return feed;
    json_decref(feed);
    return NULL;
}

json_t *kns_json_load(const char *utf8, size_t size, struct kns_json_flaws *ret_flaws)
{
    json_error_t again;
    json_t *json = json_loadb(utf8, size, LOAD_FLAGS, &ret_flaws->where);

    ret_flaws->cut = ret_flaws->mended = false;
    if (json != NULL) {
        ret_flaws->where.text[0] = '\0';
        return json;
    }
    struct mender m = {.at = utf8, .end = utf8 + size};
    mend(&m);
    if (!kns_buf_failed(&m.out)) {
        json = json_loadb(kns_buf_str(&m.out), m.out.len, LOAD_FLAGS, &again);
        ret_flaws->mended = m.flawed;
        if (json == NULL) { /* something stands behind it */
            json = json_loadb(kns_buf_str(&m.out), m.out.len, LOAD_FLAGS | JSON_DISABLE_EOF_CHECK,
                              NULL);
            ret_flaws->mended = ret_flaws->mended || json != NULL;
        }
        if (json == NULL) {
            json = load_whole_items(kns_buf_str(&m.out), m.out.len, &again);
            ret_flaws->cut = json != NULL;
            ret_flaws->where.line = json != NULL ? again.line : ret_flaws->where.line;
        }
    }
    kns_buf_fini(&m.out);
    return json;
}
