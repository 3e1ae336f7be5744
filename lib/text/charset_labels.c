#include "lib/text/charset_labels.h"

#include "lib/charset.h"

#include <ctype.h>
#include <string.h>

#define MAX_LABEL 40

static const struct kns_charset charsets[] = {
    {"utf-8", NULL, KNS_CHARSET_UTF8,
     " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 "},
    {"utf-16le", NULL, KNS_CHARSET_UTF16LE,
     " csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le "},
    {"utf-16be", NULL, KNS_CHARSET_UTF16BE, " unicodefffe utf-16be "},
    {"utf-32le", NULL, KNS_CHARSET_UTF32LE, " utf-32 utf-32le ucs-4 iso-10646-ucs-4 "},
    {"utf-32be", NULL, KNS_CHARSET_UTF32BE, " utf-32be "},
    {"windows-1252", "WINDOWS-1252", KNS_CHARSET_SINGLE,
     " ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 "
     "iso88591 iso_8859-1 "
     "iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 "},
    {"iso-8859-2", "ISO-8859-2", KNS_CHARSET_SINGLE,
     " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 "},
    {"iso-8859-3", "ISO-8859-3", KNS_CHARSET_SINGLE,
     " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 "},
    {"iso-8859-4", "ISO-8859-4", KNS_CHARSET_SINGLE,
     " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 "},
    {"iso-8859-5", "ISO-8859-5", KNS_CHARSET_SINGLE,
     " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 "
     "iso_8859-5:1988 "},
    {"iso-8859-6", "ISO-8859-6", KNS_CHARSET_SINGLE,
     " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
     "iso-8859-6-i iso-ir-127 "
     "iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 "},
    {"iso-8859-7", "ISO-8859-7", KNS_CHARSET_SINGLE,
     " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 "
     "iso_8859-7 "
     "iso_8859-7:1987 sun_eu_greek "},
    {"iso-8859-8", "ISO-8859-8", KNS_CHARSET_SINGLE,
     " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
     "iso_8859-8 "
     "iso_8859-8:1988 visual "},
    {"iso-8859-8-i", "ISO-8859-8", KNS_CHARSET_SINGLE, " csiso88598i iso-8859-8-i logical "},
    {"iso-8859-10", "ISO-8859-10", KNS_CHARSET_SINGLE,
     " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
    {"iso-8859-13", "ISO-8859-13", KNS_CHARSET_SINGLE, " iso-8859-13 iso8859-13 iso885913 "},
    {"iso-8859-14", "ISO-8859-14", KNS_CHARSET_SINGLE, " iso-8859-14 iso8859-14 iso885914 "},
    {"iso-8859-15", "ISO-8859-15", KNS_CHARSET_SINGLE,
     " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 latin9 "},
    {"iso-8859-16", "ISO-8859-16", KNS_CHARSET_SINGLE, " iso-8859-16 "},
    {"koi8-r", "KOI8-R", KNS_CHARSET_SINGLE, " cskoi8r koi koi8 koi8-r koi8_r "},
    {"koi8-u", "KOI8-U", KNS_CHARSET_SINGLE, " koi8-ru koi8-u "},
    {"ibm866", "CP866", KNS_CHARSET_SINGLE, " 866 cp866 csibm866 ibm866 "},
    {"macintosh", "MACINTOSH", KNS_CHARSET_SINGLE, " csmacintosh mac macintosh x-mac-roman "},
    {"x-mac-cyrillic", "MAC-CYRILLIC", KNS_CHARSET_SINGLE, " x-mac-cyrillic x-mac-ukrainian "},
    {"windows-874", "CP874", KNS_CHARSET_SINGLE,
     " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 "},
    {"windows-1250", "WINDOWS-1250", KNS_CHARSET_SINGLE, " cp1250 windows-1250 x-cp1250 "},
    {"windows-1251", "WINDOWS-1251", KNS_CHARSET_SINGLE, " cp1251 windows-1251 x-cp1251 "},
    {"windows-1253", "WINDOWS-1253", KNS_CHARSET_SINGLE, " cp1253 windows-1253 x-cp1253 "},
    {"windows-1254", "WINDOWS-1254", KNS_CHARSET_SINGLE,
     " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 "
     "latin5 windows-1254 "
     "x-cp1254 "},
    {"windows-1255", "WINDOWS-1255", KNS_CHARSET_SINGLE, " cp1255 windows-1255 x-cp1255 "},
    {"windows-1256", "WINDOWS-1256", KNS_CHARSET_SINGLE, " cp1256 windows-1256 x-cp1256 "},
    {"windows-1257", "WINDOWS-1257", KNS_CHARSET_SINGLE, " cp1257 windows-1257 x-cp1257 "},
    {"windows-1258", "WINDOWS-1258", KNS_CHARSET_SINGLE, " cp1258 windows-1258 x-cp1258 "},
    {"shift_jis", "CP932", KNS_CHARSET_MULTI,
     " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j cp932 x-sjis "},
    {"euc-jp", "EUC-JP-MS", KNS_CHARSET_MULTI, " cseucpkdfmtjapanese euc-jp x-euc-jp eucjp "},
    {"iso-2022-jp", "EUC-JP-MS", KNS_CHARSET_SHIFTED, " csiso2022jp iso-2022-jp "},
    {"gbk", "GB18030", KNS_CHARSET_MULTI,
     " chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk cp936 "},
    {"gb18030", "GB18030", KNS_CHARSET_MULTI, " gb18030 "},
    {"big5", "BIG5-HKSCS", KNS_CHARSET_MULTI, " big5 big5-hkscs cn-big5 csbig5 x-x-big5 cp950 "},
    {"euc-kr", "UHC", KNS_CHARSET_MULTI,
     " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
     "ksc_5601 windows-949 cp949 "},
    {"replacement", NULL, KNS_CHARSET_REPLACEMENT,
     " csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement "},
    {"x-user-defined", NULL, KNS_CHARSET_SINGLE, " x-user-defined "},
};

bool kns_charset_is_wide(const struct kns_charset *charset)
{
    return charset->kind >= KNS_CHARSET_UTF16LE && charset->kind <= KNS_CHARSET_UTF32BE;
}

const struct kns_charset *kns_charset_lookup(const char *label, size_t len)
{
    char wanted[MAX_LABEL + 3] = " ";

    while (len > 0 && isspace((unsigned char)*label)) {
        label++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)label[len - 1]))
        len--;
    if (len == 0 || len > MAX_LABEL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (isspace((unsigned char)label[i]))
            return NULL;
        wanted[i + 1] = (char)tolower((unsigned char)label[i]);
    }
    wanted[len + 1] = ' ';
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++)
        if (strstr(charsets[i].labels, wanted) != NULL)
            return &charsets[i];
    return NULL;
}

const char *kns_charset_find(const char *label, size_t len)
{
    const struct kns_charset *charset = kns_charset_lookup(label, len);

    return charset == NULL ? NULL : charset->name;
}

const char *kns_charset_from_content_type(const char *content_type)
{
    static const char key[] = "charset";

    for (const char *at = content_type == NULL ? NULL : strcasestr(content_type, key); at != NULL;
         at = strcasestr(at + 1, key)) {
        const char *value = at + strlen(key);
        bool starts = at > content_type && strchr("; \t,", at[-1]) != NULL;
        value += strspn(value, " \t");
        if (!starts || *value != '=')
            continue;
        value += 1 + strspn(value + 1, " \t");
        char quote = *value == '"' || *value == '\'' ? *value++ : '\0';
        size_t len = quote != '\0' ? strcspn(value, "\"'") : strcspn(value, "; \t,");
        return kns_charset_find(value, len);
    }
    return NULL;
}
