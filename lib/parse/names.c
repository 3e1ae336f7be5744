#include "lib/parse/names.h"

#include "lib/parse/builder.h"

#include <string.h>
#include <strings.h>

/* ---- namespaces ----------------------------------------------------------------------------------------- */

/* URIs in lower case, without "http(s)://", "www." and a trailing slash or '#': feeds write them in every way. */
static const struct {
    const char *uri;
    enum ns ns;
} uris[] = {
    {"purl.org/rss/1.0", NS_NONE},
    {"my.netscape.com/rdf/simple/0.9", NS_NONE},
    {"channel.netscape.com/rdf/simple/0.9", NS_NONE},
    {"my.netscape.com/publish/formats/rss-0.91.dtd", NS_NONE},
    {"purl.org/net/rss1.1", NS_NONE},
    {"backend.userland.com/rss", NS_NONE},
    {"backend.userland.com/rss2", NS_NONE},
    {"backend.userland.com/rss091", NS_NONE},
    {"backend.userland.com/rss092", NS_NONE},
    {"blogs.law.harvard.edu/tech/rss", NS_NONE},
    {"cyber.law.harvard.edu/rss/rss.html", NS_NONE},
    {"rssboard.org/rss-specification", NS_NONE},
    {"w3.org/1999/02/22-rdf-syntax-ns", NS_RDF},
    {"w3.org/2005/atom", NS_ATOM},
    {"purl.org/atom/ns", NS_ATOM},
    {"example.com/newformat", NS_ATOM},
    {"purl.org/dc/elements/1.1", NS_DC},
    {"purl.org/dc/elements/1.0", NS_DC},
    {"purl.org/dc/terms", NS_DC},
    {"purl.org/rss/1.0/modules/content", NS_CONTENT},
    {"search.yahoo.com/mrss", NS_MEDIA},
    {"search.yahoo.com/mrss/index.xml", NS_MEDIA},
    {"video.search.yahoo.com/mrss", NS_MEDIA},
    {"tools.search.yahoo.com/mrss", NS_MEDIA},
    {"api.maps.yahoo.com/maps/2.0/annotatedmaps.xsd", NS_OTHER},
    {"itunes.com/dtds/podcast-1.0.dtd", NS_ITUNES},
    {"itunes.apple.com/dtds/podcast-1.0.dtd", NS_ITUNES},
    {"example.com/dtds/podcast-1.0.dtd", NS_ITUNES},
    {"google.com/schemas/play-podcasts/1.0", NS_ITUNES},
    {"google.com/schemas/play-podcasts/1.0/play-podcasts.xsd", NS_ITUNES},
    {"purl.org/rss/1.0/modules/slash", NS_SLASH},
    {"wellformedweb.org/commentapi", NS_WFW},
    {"purl.org/syndication/thread/1.0", NS_THR},
    {"georss.org/georss", NS_GEORSS},
    {"georss.org/georss/10", NS_GEORSS},
    {"opengis.net/gml", NS_GML},
    {"opengis.net/gml/3.2", NS_GML},
    {"w3.org/2003/01/geo/wgs84_pos", NS_GEO},
    {"purl.org/rss/1.0/modules/syndication", NS_SY},
    {"w3.org/1999/xhtml", NS_XHTML},
    {"web.resource.org/cc", NS_CC},
    {"creativecommons.org/ns", NS_CC},
    {"backend.userland.com/creativecommonsrssmodule", NS_CC},
    {"cyber.law.harvard.edu/rss/creativecommonsrssmodule.html", NS_CC},
    {"webns.net/mvcb", NS_ADMIN},
    {"rssnamespace.org/feedburner/ext/1.0", NS_FEEDBURNER},
    {"podcastindex.org/namespace/1.0", NS_PODCAST},
    {"github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md", NS_PODCAST},
    {"w3.org/xml/1998/namespace", NS_XML},
};

/* What a prefix means where nobody declared it. */
static const struct {
    const char *prefix;
    enum ns ns;
} prefixes[] = {
    {"rdf", NS_RDF},
    {"atom", NS_ATOM},
    {"a10", NS_ATOM},
    {"dc", NS_DC},
    {"dcterms", NS_DC},
    {"content", NS_CONTENT},
    {"media", NS_MEDIA},
    {"itunes", NS_ITUNES},
    {"googleplay", NS_ITUNES},
    {"slash", NS_SLASH},
    {"wfw", NS_WFW},
    {"thr", NS_THR},
    {"georss", NS_GEORSS},
    {"gml", NS_GML},
    {"geo", NS_GEO},
    {"sy", NS_SY},
    {"xhtml", NS_XHTML},
    {"cc", NS_CC},
    {"creativeCommons", NS_CC},
    {"admin", NS_ADMIN},
    {"feedburner", NS_FEEDBURNER},
    {"podcast", NS_PODCAST},
    {"xml", NS_XML},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The part of a URI that is compared. */
static const char *strip(const char *uri, size_t *ret_len)
{
    uri += strspn(uri, " \t\r\n");
    if (strncasecmp(uri, "http://", 7) == 0)
        uri += 7;
    else if (strncasecmp(uri, "https://", 8) == 0)
        uri += 8;
    if (strncasecmp(uri, "www.", 4) == 0)
        uri += 4;
    size_t len = strlen(uri);
    while (len > 0 && strchr("/# ", uri[len - 1]) != NULL)
        len--;
    *ret_len = len;
    return uri;
}

enum ns kns_ns_of_uri(const char *uri)
{
    size_t len;
    const char *stripped = strip(uri, &len);

    if (*uri == '\0')
        return NS_NONE;
    for (size_t i = 0; i < LENGTH(uris); i++)
        if (strncasecmp(stripped, uris[i].uri, len) == 0 && uris[i].uri[len] == '\0')
            return uris[i].ns;
    return NS_OTHER;
}

enum ns kns_ns_of_prefix(const char *prefix, size_t len)
{
    for (size_t i = 0; i < LENGTH(prefixes); i++)
        if (strncmp(prefix, prefixes[i].prefix, len) == 0 && prefixes[i].prefix[len] == '\0')
            return prefixes[i].ns;
    return NS_OTHER;
}

bool kns_ns_is_atom_03(const char *uri)
{
    return strstr(uri, "purl.org/atom/") != NULL;
}

/* ---- vocabularies --------------------------------------------------------------------------------------- */

#define FEED PLACE(IN_FEED)
#define ENTRY PLACE(IN_ENTRY)
#define BOTH (FEED | ENTRY)
#define ROOT PLACE(IN_NOTHING)
#define RSS PLACE(IN_RSS)
#define PERSON PLACE(IN_PERSON)
#define SOURCE PLACE(IN_SOURCE)
#define MEDIA PLACE(IN_MEDIA)
#define IMAGE PLACE(IN_IMAGE)
#define WHERE PLACE(IN_WHERE)

#define OPEN(name, places, opens)                                                                  \
    {                                                                                              \
        name, places, opens, C_NONE, NULL, F_NONE, 0                                               \
    }
#define TEXT(name, places, construct, field, rank)                                                 \
    {                                                                                              \
        name, places, IN_NOTHING, construct, NULL, field, rank                                     \
    }
#define CALL(name, places, construct, apply, field, rank)                                          \
    {                                                                                              \
        name, places, IN_NOTHING, construct, apply, field, rank                                    \
    }

/* What a person consists of, in every vocabulary that has one. */
#define PERSON_PARTS                                                                               \
    CALL("name", PERSON, C_PLAIN, kns_apply_person_part, F_TITLE, 0),                              \
        CALL("email", PERSON, C_PLAIN, kns_apply_person_part, F_ID, 0),                            \
        CALL("uri", PERSON, C_PLAIN, kns_apply_person_part, F_URL, 0)

/* Ranks: 0 native, 1 a module's, 2 a module's substitute. */

static const struct row rss_rows[] = {
    OPEN("rss", ROOT, IN_RSS),
    OPEN("Channel", ROOT, IN_FEED), /* RSS 1.1 */
    OPEN("channel", RSS | ROOT, IN_FEED),
    OPEN("item", FEED | RSS | PLACE(IN_IGNORED), IN_ENTRY),
    OPEN("image", BOTH | RSS, IN_IMAGE),
    OPEN("skipHours", FEED, IN_HOURS),
    OPEN("skipDays", FEED, IN_DAYS),
    CALL("hour", PLACE(IN_HOURS), C_PLAIN, kns_apply_hour, F_NONE, 0),
    CALL("day", PLACE(IN_DAYS), C_PLAIN, kns_apply_day, F_NONE, 0),
    TEXT("title", BOTH, C_GUESS, F_TITLE, 0),
    CALL("link", BOTH, C_PLAIN, kns_apply_rss_link, F_URL, 0),
    TEXT("description", BOTH, C_GUESS, F_SUMMARY, 0),
    CALL("guid", ENTRY, C_PLAIN, kns_apply_guid, F_ID, 0),
    TEXT("pubDate", BOTH, C_PLAIN, F_PUBLISHED, 0),
    TEXT("lastBuildDate", FEED, C_PLAIN, F_UPDATED, 0),
    OPEN("author", BOTH, IN_PERSON), /* a text, or parts as in Atom */
    CALL("managingEditor", FEED, C_PLAIN, kns_apply_person, F_NONE, 0),
    CALL("category", BOTH, C_PLAIN, kns_apply_category, F_NONE, 0),
    CALL("enclosure", ENTRY, C_NONE, kns_apply_enclosure, F_NONE, 0),
    TEXT("comments", ENTRY, C_PLAIN, F_COMMENTS_URL, 0),
    CALL("source", ENTRY, C_PLAIN, kns_apply_rss_source, F_NONE, 0),
    TEXT("copyright", FEED, C_GUESS, F_RIGHTS, 0),
    TEXT("language", FEED, C_PLAIN, F_LANGUAGE, 0),
    CALL("generator", FEED, C_PLAIN, kns_apply_generator, F_GENERATOR, 0),
    TEXT("ttl", FEED, C_PLAIN, F_TTL, 0),
    CALL("cloud", FEED, C_NONE, kns_apply_cloud, F_NONE, 0),
    PERSON_PARTS,
    CALL("url", IMAGE, C_PLAIN, kns_apply_image_url, F_ICON, 0),
};

static const struct row rdf_rows[] = {
    OPEN("RDF", ROOT, IN_RSS),
    CALL("value", PERSON, C_PLAIN, kns_apply_person_part, F_TITLE, 0),
};

static const struct row atom_rows[] = {
    OPEN("feed", ROOT, IN_FEED),
    OPEN("entry", FEED | ROOT, IN_ENTRY),
    OPEN("author", BOTH | SOURCE, IN_PERSON),
    OPEN("contributor", BOTH | SOURCE, IN_IGNORED),
    OPEN("source", ENTRY, IN_SOURCE),
    PERSON_PARTS,
    CALL("url", PERSON, C_PLAIN, kns_apply_person_part, F_URL, 1),
    CALL("homepage", PERSON, C_PLAIN, kns_apply_person_part, F_URL, 1),
    TEXT("title", BOTH, C_ATOM, F_TITLE, 0),
    TEXT("title", SOURCE, C_ATOM, F_SOURCE_TITLE, 0),
    TEXT("id", BOTH, C_PLAIN, F_ID, 1),
    TEXT("id", SOURCE, C_PLAIN, F_SOURCE_ID, 0),
    CALL("enclosure", ENTRY, C_NONE, kns_apply_enclosure, F_NONE, 0), /* RSS's, in old blogs */
    CALL("link", BOTH | SOURCE, C_PLAIN, kns_apply_atom_link, F_NONE, 0),
    TEXT("subtitle", FEED, C_ATOM, F_SUMMARY, 0),
    TEXT("tagline", FEED, C_ATOM, F_SUMMARY, 0),
    TEXT("info", FEED, C_ATOM, F_SUMMARY, 3),
    TEXT("description", FEED, C_ATOM, F_SUMMARY, 4), /* no Atom, but RSS's name for it */
    TEXT("summary", ENTRY, C_ATOM, F_SUMMARY, 1),
    TEXT("content", ENTRY, C_ATOM, F_CONTENT, 0),
    TEXT("published", BOTH, C_PLAIN, F_PUBLISHED, 1),
    TEXT("issued", BOTH, C_PLAIN, F_PUBLISHED, 1),
    TEXT("created", BOTH, C_PLAIN, F_PUBLISHED, 4),
    TEXT("updated", BOTH, C_PLAIN, F_UPDATED, 0),
    TEXT("modified", BOTH, C_PLAIN, F_UPDATED, 0),
    CALL("category", BOTH, C_PLAIN, kns_apply_atom_category, F_NONE, 0),
    CALL("generator", FEED, C_PLAIN, kns_apply_generator, F_GENERATOR, 0),
    TEXT("rights", BOTH, C_ATOM, F_RIGHTS, 0),
    TEXT("copyright", BOTH, C_ATOM, F_RIGHTS, 0),
    TEXT("icon", FEED, C_PLAIN, F_FAVICON, 0),
    TEXT("logo", FEED, C_PLAIN, F_ICON, 0),
};

static const struct row dc_rows[] = {
    TEXT("title", BOTH, C_GUESS, F_TITLE, 2),
    TEXT("description", BOTH, C_GUESS, F_SUMMARY, 2),
    TEXT("abstract", BOTH, C_GUESS, F_SUMMARY, 3),
    CALL("creator", BOTH, C_PLAIN, kns_apply_person, F_NONE, 1),
    CALL("author", BOTH, C_PLAIN, kns_apply_person, F_NONE, 1),
    CALL("subject", BOTH, C_PLAIN, kns_apply_category, F_NONE, 1),
    TEXT("date", BOTH, C_PLAIN, F_PUBLISHED, 5),
    TEXT("issued", BOTH, C_PLAIN, F_PUBLISHED, 2),
    TEXT("available", BOTH, C_PLAIN, F_PUBLISHED, 6),
    TEXT("created", BOTH, C_PLAIN, F_PUBLISHED, 3),
    TEXT("modified", BOTH, C_PLAIN, F_UPDATED, 1),
    TEXT("rights", BOTH, C_GUESS, F_RIGHTS, 1),
    TEXT("language", BOTH, C_PLAIN, F_LANGUAGE, 1),
    TEXT("identifier", ENTRY, C_PLAIN, F_ID, 4),
};

static const struct row content_rows[] = {
    TEXT("encoded", ENTRY, C_HTML, F_CONTENT, 1),
};

static const struct row xhtml_rows[] = {
    TEXT("body", ENTRY, C_ATOM, F_CONTENT, 2),
    TEXT("div", ENTRY, C_ATOM, F_CONTENT, 3),
};

static const struct row media_rows[] = {
    {"group", ENTRY | MEDIA, IN_MEDIA, C_NONE, NULL, F_NONE, 0},
    {"content", BOTH | MEDIA, IN_MEDIA, C_NONE, kns_apply_media_content, F_NONE, 0},
    OPEN("location", ENTRY | MEDIA, IN_WHERE),
    CALL("thumbnail", BOTH | MEDIA, C_PLAIN, kns_apply_media_thumbnail, F_IMAGE, 0),
    TEXT("title", ENTRY | MEDIA, C_ATOM, F_TITLE, 4),
    TEXT("description", ENTRY | MEDIA, C_ATOM, F_SUMMARY, 5),
    CALL("keywords", BOTH | MEDIA, C_PLAIN, kns_apply_keywords, F_NONE, 2),
    CALL("category", BOTH | MEDIA, C_PLAIN, kns_apply_category, F_NONE, 2),
    TEXT("copyright", BOTH | MEDIA, C_PLAIN, F_RIGHTS, 2),
};

static const struct row itunes_rows[] = {
    TEXT("title", ENTRY, C_PLAIN, F_TITLE, 3),
    TEXT("subtitle", BOTH, C_GUESS, F_SUMMARY, 4),
    TEXT("summary", BOTH, C_GUESS, F_SUMMARY, 3),
    TEXT("description", BOTH, C_GUESS, F_SUMMARY, 4),
    CALL("author", BOTH, C_PLAIN, kns_apply_person, F_NONE, 2),
    OPEN("owner", FEED, IN_PERSON),
    PERSON_PARTS,
    {"category", BOTH, IN_FEED, C_NONE, kns_apply_category, F_NONE, 1},
    CALL("keywords", BOTH, C_PLAIN, kns_apply_keywords, F_NONE, 1),
    CALL("image", BOTH, C_PLAIN, kns_apply_href_image, F_IMAGE, 1),
    TEXT("duration", ENTRY, C_PLAIN, F_DURATION, 0),
    TEXT("explicit", BOTH, C_PLAIN, F_EXPLICIT, 0),
    TEXT("season", ENTRY, C_PLAIN, F_SEASON, 0),
    TEXT("episode", ENTRY, C_PLAIN, F_EPISODE, 0),
    TEXT("new-feed-url", FEED, C_PLAIN, F_NONE, 0),
};

static const struct row slash_rows[] = {
    TEXT("comments", ENTRY, C_PLAIN, F_COMMENTS_COUNT, 1),
};

static const struct row wfw_rows[] = {
    TEXT("commentRss", ENTRY, C_PLAIN, F_COMMENTS_FEED, 1),
    TEXT("commentRSS", ENTRY, C_PLAIN, F_COMMENTS_FEED, 1),
};

static const struct row thr_rows[] = {
    TEXT("total", ENTRY, C_PLAIN, F_COMMENTS_COUNT, 0),
};

static const struct row georss_rows[] = {
    OPEN("where", BOTH | WHERE, IN_WHERE),
    CALL("point", BOTH | WHERE, C_PLAIN, kns_apply_point, F_LAT, 0),
};

static const struct row gml_rows[] = {
    OPEN("Point", BOTH | WHERE, IN_WHERE),
    CALL("pos", WHERE, C_PLAIN, kns_apply_point, F_LAT, 0),
    CALL("coordinates", WHERE, C_PLAIN, kns_apply_point, F_LAT, 1),
};

static const struct row geo_rows[] = {
    OPEN("Point", BOTH, IN_WHERE),
    TEXT("lat", BOTH | WHERE, C_PLAIN, F_LAT, 1),
    TEXT("long", BOTH | WHERE, C_PLAIN, F_LON, 1),
    TEXT("lon", BOTH | WHERE, C_PLAIN, F_LON, 1),
    CALL("lat_long", BOTH | WHERE, C_PLAIN, kns_apply_point, F_LAT, 2),
};

static const struct row sy_rows[] = {
    TEXT("updatePeriod", FEED, C_PLAIN, F_PERIOD, 0),
    TEXT("updateFrequency", FEED, C_PLAIN, F_FREQUENCY, 0),
};

static const struct row cc_rows[] = {
    CALL("license", BOTH, C_PLAIN, kns_apply_resource, F_RIGHTS, 3),
};

static const struct row admin_rows[] = {
    CALL("generatorAgent", FEED, C_PLAIN, kns_apply_resource, F_GENERATOR, 1),
};

static const struct row feedburner_rows[] = {
    TEXT("origLink", ENTRY, C_PLAIN, F_URL, 9), /* the feed's own link is what it gave */
};

static const struct row podcast_rows[] = {
    TEXT("season", ENTRY, C_PLAIN, F_SEASON, 1),
    TEXT("episode", ENTRY, C_PLAIN, F_EPISODE, 1),
};

/* HREF and LASTMOD of the containers are read where they open. */
static const struct row cdf_rows[] = {
    OPEN("CHANNEL", ROOT, IN_FEED),
    OPEN("ITEM", FEED | PLACE(IN_IGNORED), IN_ENTRY), /* of a channel in a channel, too */
    TEXT("TITLE", BOTH, C_GUESS, F_TITLE, 0),
    TEXT("ABSTRACT", BOTH, C_GUESS, F_SUMMARY, 0),
};

#define VOCABULARY(rows)                                                                           \
    {                                                                                              \
        rows, LENGTH(rows)                                                                         \
    }

static const struct {
    const struct row *rows;
    size_t count;
} vocabularies[] = {
    [NS_NONE] = VOCABULARY(rss_rows),
    [NS_RDF] = VOCABULARY(rdf_rows),
    [NS_ATOM] = VOCABULARY(atom_rows),
    [NS_DC] = VOCABULARY(dc_rows),
    [NS_CONTENT] = VOCABULARY(content_rows),
    [NS_MEDIA] = VOCABULARY(media_rows),
    [NS_ITUNES] = VOCABULARY(itunes_rows),
    [NS_SLASH] = VOCABULARY(slash_rows),
    [NS_WFW] = VOCABULARY(wfw_rows),
    [NS_THR] = VOCABULARY(thr_rows),
    [NS_GEORSS] = VOCABULARY(georss_rows),
    [NS_GML] = VOCABULARY(gml_rows),
    [NS_GEO] = VOCABULARY(geo_rows),
    [NS_SY] = VOCABULARY(sy_rows),
    [NS_XHTML] = VOCABULARY(xhtml_rows),
    [NS_CC] = VOCABULARY(cc_rows),
    [NS_ADMIN] = VOCABULARY(admin_rows),
    [NS_FEEDBURNER] = VOCABULARY(feedburner_rows),
    [NS_PODCAST] = VOCABULARY(podcast_rows),
    [NS_CDF] = VOCABULARY(cdf_rows),
    [NS_XML] = {NULL, 0},
    [NS_OTHER] = {NULL, 0},
};

const struct row *kns_row_find(enum ns ns, const char *name, enum place place)
{
    const struct row *rows = vocabularies[ns].rows;

    for (size_t i = 0; i < vocabularies[ns].count; i++)
        if (rows[i].name[0] == name[0] && (rows[i].places & PLACE(place)) != 0 &&
            strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}
