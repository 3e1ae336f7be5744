# The templates of digests, built into the library.
file(GLOB kns_templates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/config/templates/*.mustache)
set(kns_templates_c ${CMAKE_BINARY_DIR}/generated/templates.c)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${kns_templates_c}
  COMMAND ${CMAKE_COMMAND} -DOUT=${kns_templates_c} -DIN=${CMAKE_SOURCE_DIR}/config/templates -P
          ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
  DEPENDS ${kns_templates} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
  VERBATIM)
target_sources(kns PRIVATE ${kns_templates_c})
