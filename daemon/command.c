#include "daemon/command.h"

#include <stdlib.h>
#include <string.h>

/* Copies one word to *to, with a NUL behind it, and returns what follows it; NULL: a quote has no end. */
static const char *take_word(const char *at, char **to)
{
    bool quoted = false;

    for (; *at != '\0' && (quoted || strchr(" \t", *at) == NULL); at++) {
        if (*at == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        *(*to)++ = *at;
    }
    *(*to)++ = '\0';
    return quoted ? NULL : at;
}

char **kns_command_split(const char *text)
{
    /* One block: the pointers, then the words, each shorter than where it came from. */
    size_t head = (KNS_COMMAND_MOST_WORDS + 1) * sizeof(char *), n = 0;
    char **words = calloc(1, head + strlen(text) + 2);
    char *to = (char *)words + head;

    for (const char *at = text + strspn(text, " \t"); words != NULL && *at != '\0';
         at += strspn(at, " \t")) {
        if (n == KNS_COMMAND_MOST_WORDS)
            break;
        words[n++] = to;
        at = take_word(at, &to);
        if (at == NULL || *(at + strspn(at, " \t")) == '\0') {
            if (at != NULL)
                return words;
            break;
        }
    }
    free(words);
    return NULL;
}

void kns_command_free(char **words)
{
    free(words);
}

bool kns_command_is_good(const char *text)
{
    char **words = kns_command_split(text);
    bool good = words != NULL && words[0][0] == '/';

    kns_command_free(words);
    return good;
}
