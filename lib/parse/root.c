/* What a document is, by its root: its vocabulary and its format, or no feed. */
#include "lib/parse/builder_internal.h"

#include <string.h>

/* An Atom feed, an RSS document or an RDF one, by the root's name, where its namespace says nothing. */
static enum ns root_vocabulary(const char *local)
{
    if (strcmp(local, "feed") == 0 || strcmp(local, "entry") == 0)
        return NS_ATOM;
    if (strcmp(local, "CHANNEL") == 0)
        return NS_CDF;
    return strcmp(local, "RDF") == 0 ? NS_RDF : NS_NONE;
}

static enum kns_format rss_format(const char *version)
{
    static const struct {
        const char *prefix;
        enum kns_format format;
    } versions[] = {
        {"0.90", KNS_FORMAT_RSS_090}, {"0.91", KNS_FORMAT_RSS_091}, {"0.92", KNS_FORMAT_RSS_092},
        {"0.93", KNS_FORMAT_RSS_092}, {"0.94", KNS_FORMAT_RSS_092}, {"1.", KNS_FORMAT_RSS_100},
    };

    if (version == NULL)
        return KNS_FORMAT_RSS_200;
    version += strspn(version, " \t\r\n");
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (strncmp(version, versions[i].prefix, strlen(versions[i].prefix)) == 0)
            return versions[i].format;
    return KNS_FORMAT_RSS_200;
}

static bool has_netscape_namespace(const struct attribute *attributes)
{
    for (const struct attribute *a = attributes; a->name != NULL; a++)
        if (strncmp(a->name, "xmlns", 5) == 0 &&
            strstr(a->value, "netscape.com/rdf/simple/0.9") != NULL)
            return true;
    return false;
}

static enum kns_format format_of_root(const struct builder *b, enum ns ns, const char *name,
                                      const char *local, const struct attribute *attributes)
{
    const char *version = NULL;

    for (const struct attribute *a = attributes; a->name != NULL; a++)
        if (strcmp(a->name, "version") == 0)
            version = a->value;
    if (ns == NS_ATOM) {
        const char *colon = strchr(name, ':');
        const struct binding *binding =
            kns_builder_find_binding(b, name, colon == NULL ? 0 : (size_t)(colon - name));
        bool old = (binding != NULL && binding->atom_03) ||
                   (version != NULL && strncmp(version, "0.3", 3) == 0);
        return old ? KNS_FORMAT_ATOM_03 : KNS_FORMAT_ATOM_10;
    }
    if (ns == NS_CDF)
        return KNS_FORMAT_CDF;
    if (ns == NS_RDF)
        return has_netscape_namespace(attributes) ? KNS_FORMAT_RSS_090 : KNS_FORMAT_RSS_100;
    return strcmp(local, "Channel") == 0 ? KNS_FORMAT_RSS_100 : rss_format(version);
}

const struct row *kns_builder_begin_root(struct builder *b, const char *name, enum ns *ns,
                                         const char *local, const struct attribute *attributes)
{
    const struct row *row = kns_row_find(*ns, local, IN_NOTHING);

    b->root = kns_arena_strdup(b->arena, name);
    if (row == NULL) {
        /* What the root does not belong to its children do not either: <rss xmlns="http://www.w3.org/2005/Atom">. */
        for (size_t i = 0; i < b->n_bindings; i++)
            if (*b->bindings[i].prefix == '\0')
                b->bindings[i].ns = NS_NONE;
        *ns = root_vocabulary(local);
        row = kns_row_find(*ns, local, IN_NOTHING);
    }
    if (row == NULL) {
        b->foreign = true;
        return NULL;
    }
    b->vocabulary = *ns == NS_ATOM || *ns == NS_CDF ? *ns : NS_NONE;
    b->document->format = format_of_root(b, *ns, name, local, attributes);
    return row;
}
