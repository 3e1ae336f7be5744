# cmake -DOUT=FILE.c -DIN=DIR -P Embed.cmake: its *.mustache as a C table (lib/digest/templates.h). Run by the build.
set(rows "")
set(texts "")
set(n 0)
file(GLOB files ${IN}/*.mustache)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "\\.mustache$" "" name ${name})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "((0x..,0x..,0x..,0x..,)?(0x..,0x..,0x..,0x..,)?(0x..,0x..,0x..,0x..,)?0x..,0x..,0x..,0x..,)"
    "\\1\n    " bytes "${bytes}")
  string(APPEND texts "static const unsigned char text_${n}[] = {\n    ${bytes}0};\n\n")
  string(APPEND rows "    {\"${name}\", (const char *)text_${n}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT}.new "/* Made from config/templates by cmake/Embed.cmake. */
#include \"lib/digest/templates.h\"

#include <stddef.h>

${texts}const struct digest_template digest_templates[] = {
${rows}    {NULL, NULL},
};
")
file(RENAME ${OUT}.new ${OUT})
