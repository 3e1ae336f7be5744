/* Authors in every dialect: parts, texts that hold a name and a mail, and who stands in for whom. */
#include "tests/unit/parsing.h"

#include <stdio.h>

static void assert_person(const struct kns_person *person, const char *name, const char *email)
{
    assert_non_null(person);
    if (name == NULL)
        assert_null(person->name);
    else
        assert_string_equal(person->name, name);
    if (email == NULL)
        assert_null(person->email);
    else
        assert_string_equal(person->email, email);
}

static void a_text_is_a_name_or_a_mail_or_both(void **state)
{
    static const struct {
        const char *text, *name, *email;
    } rows[] = {
        {"ed@e.example (Ed Itor)", "Ed Itor", "ed@e.example"},
        {"Ed Itor (ed@e.example)", "Ed Itor", "ed@e.example"},
        {"Ed Itor &lt;ed@e.example&gt;", "Ed Itor", "ed@e.example"},
        {"ed@e.example", NULL, "ed@e.example"},
        {"Ed Itor", "Ed Itor", NULL},
        {"\"Ed Itor\" &lt;ed@e.example&gt;", "Ed Itor", "ed@e.example"},
        {"\"Ed\" Itor", "\"Ed\" Itor", NULL},
        {"mailto:ed@e.example", NULL, "ed@e.example"},
        {"mailto:ed@e.example (Ed Itor)", "Ed Itor", "ed@e.example"},
        {"Ed Itor (mailto:ed@e.example)", "Ed Itor", "ed@e.example"},
        {"ed@e.example ()", NULL, "ed@e.example"},
        {"&lt;ed@e.example&gt;", NULL, "ed@e.example"},
        {"(Ed Itor)", "(Ed Itor)", NULL},
        {"<![CDATA[ Ed\n Itor ]]>", "Ed Itor", NULL},
        {"Ed (the editor)", "Ed (the editor)", NULL},
        /* Names are text, whatever they look like. */
        {"Ed &amp;amp; &lt;b&gt;Itor&lt;/b&gt;", "Ed &amp; <b>Itor</b>", NULL},
    };
    static const char *const elements[] = {"author", "dc:creator", "itunes:author"};

    (void)state;
    for (size_t e = 0; e < 3; e++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            char text[512];
            snprintf(text, sizeof(text), "<rss><channel><item><%s>%s</%s></item></channel></rss>",
                     elements[e], rows[i].text, elements[e]);
            struct kns_document *d = parse_text(text);
            const struct kns_entry *entry = nth_entry(d, 0);
            assert_int_equal(entry->authors.count, 1);
            assert_person(entry->authors.first, rows[i].name, rows[i].email);
            kns_document_free(d);
        }
}

static void parts_are_read_wherever_they_stand(void **state)
{
    static const char *const authors[] = {
        "<author><name>N</name><email>n@e.example</email></author>",
        "<atom:author><atom:name>N</atom:name><atom:email>n@e.example</atom:email></atom:author>",
        "<x:author xmlns:x='http://www.w3.org/2005/Atom'>N &lt;n@e.example></x:author>",
        "<atom:author><name>N</name><email>n@e.example</email></atom:author>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(authors) / sizeof(authors[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "<rss><channel><item>%s</item></channel></rss>", authors[i]);
        struct kns_document *d = parse_text(text);
        assert_person(nth_entry(d, 0)->authors.first, "N", "n@e.example");
        kns_document_free(d);
    }
}

static void an_atom_author_that_is_a_text_is_a_name(void **state)
{
    (void)state;
    struct kns_document *d =
        parse_text("<feed xmlns='http://www.w3.org/2005/Atom'><author>e@e.example (E)</author>"
                   "<entry><author> A. Writer </author><contributor><name>C</name></contributor>"
                   "</entry></feed>");
    assert_person(d->authors.first, "E", "e@e.example");
    assert_int_equal(nth_entry(d, 0)->authors.count, 1);
    assert_person(nth_entry(d, 0)->authors.first, "A. Writer", NULL);
    kns_document_free(d);
}

static void the_owner_of_a_podcast_stands_in_for_an_author(void **state)
{
    (void)state;
    struct kns_document *d = parse_text(
        "<rss><channel><itunes:owner><itunes:name>O</itunes:name><itunes:email>o@e.example"
        "</itunes:email></itunes:owner><webMaster>w@e.example</webMaster></channel></rss>");
    assert_int_equal(d->authors.count, 1);
    assert_person(d->authors.first, "O", "o@e.example");
    kns_document_free(d);
    d = parse_text("<rss><channel><itunes:owner><itunes:name>O</itunes:name></itunes:owner>"
                   "<itunes:author>A</itunes:author></channel></rss>");
    assert_int_equal(d->authors.count, 1);
    assert_person(d->authors.first, "A", NULL);
    kns_document_free(d);
}

static void a_source_names_the_authors_of_its_entry(void **state)
{
    (void)state;
    struct kns_document *d = parse_text(
        "<feed xmlns='http://www.w3.org/2005/Atom'><author><name>F</name></author><entry><source>"
        "<title>S</title><author><name>SA</name></author></source></entry></feed>");
    assert_int_equal(nth_entry(d, 0)->authors.count, 1);
    assert_person(nth_entry(d, 0)->authors.first, "SA", NULL);
    kns_document_free(d);
}

static void a_source_names_no_authors_beside_the_entrys_own(void **state)
{
    static const char *const entries[] = {
        "<author><name>E</name></author><source><author><name>S</name></author></source>",
        "<source><author><name>S</name></author></source><author><name>E</name></author>",
        "<source><author>S (s@e.example)</author></source><author>E</author>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "<feed xmlns='http://www.w3.org/2005/Atom'><entry>%s</entry><entry/></feed>",
                 entries[i]);
        struct kns_document *d = parse_text(text);
        assert_int_equal(nth_entry(d, 0)->authors.count, 1);
        assert_person(nth_entry(d, 0)->authors.first, "E", NULL);
        assert_int_equal(nth_entry(d, 1)->authors.count, 0);
        kns_document_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_a_name_or_a_mail_or_both),
        cmocka_unit_test(parts_are_read_wherever_they_stand),
        cmocka_unit_test(an_atom_author_that_is_a_text_is_a_name),
        cmocka_unit_test(the_owner_of_a_podcast_stands_in_for_an_author),
        cmocka_unit_test(a_source_names_the_authors_of_its_entry),
        cmocka_unit_test(a_source_names_no_authors_beside_the_entrys_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
