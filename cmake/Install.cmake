# What is installed beside the two programs, with the GNU directories.
file(GLOB man_pages CONFIGURE_DEPENDS man/*.[1-8])
foreach(page ${man_pages})
  string(REGEX REPLACE ".*\\.([1-8])$" "\\1" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
