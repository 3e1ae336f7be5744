#include "lib/digest/xml.h"

#include <string.h>

void digest_xml_text(struct kns_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            kns_buf_adds(out, "&amp;");
        else if (c == '<')
            kns_buf_adds(out, "&lt;");
        else if (c == '>')
            kns_buf_adds(out, "&gt;");
        else if (c == '"')
            kns_buf_adds(out, "&quot;");
        else if (c == '\n' || c == '\t')
            kns_buf_addf(out, "&#%d;", c); /* kept in attributes too */
        else if (c == 0xEF && strncmp(text, "\xEF\xBF\xBE", 3) == 0)
            text += 2; /* U+FFFE */
        else if (c == 0xEF && strncmp(text, "\xEF\xBF\xBF", 3) == 0)
            text += 2; /* U+FFFF */
        else if (c >= 0x20)
            kns_buf_addc(out, (char)c);
    }
}

void digest_xml_element(struct kns_buf *out, int indent, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    kns_buf_addf(out, "%*s<%s>", indent, "", name);
    digest_xml_text(out, text);
    kns_buf_addf(out, "</%s>\n", name);
}

void digest_xml_attribute(struct kns_buf *out, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    kns_buf_addf(out, " %s=\"", name);
    digest_xml_text(out, value);
    kns_buf_addc(out, '"');
}
