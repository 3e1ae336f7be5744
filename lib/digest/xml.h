/* xml.h - well-formed XML 1.0 into a buffer. */
#ifndef KNS_DIGEST_XML_H
#define KNS_DIGEST_XML_H

#include "lib/buf.h"

/* Text for content or an attribute in double quotes: markup escaped, characters that XML cannot hold left out. */
void digest_xml_text(struct kns_buf *out, const char *text);

/* indent spaces, <name>text</name>, a line break; nothing when text is NULL or "". */
void digest_xml_element(struct kns_buf *out, int indent, const char *name, const char *text);

/* ` name="value"`; nothing when value is NULL or "". */
void digest_xml_attribute(struct kns_buf *out, const char *name, const char *value);

#endif
