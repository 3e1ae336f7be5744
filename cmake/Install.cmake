# What is installed beside the two programs, with the GNU directories.
file(GLOB man_pages CONFIGURE_DEPENDS man/*.[1-8])
foreach(page ${man_pages})
  string(REGEX REPLACE ".*\\.([1-8])$" "\\1" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# Where the unit looks for it (/etc for the prefix /usr), and never over what an operator has edited.
install(CODE "
  if(NOT EXISTS \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_SYSCONFDIR}/kns/kns.conf\")
    file(INSTALL DESTINATION \"${CMAKE_INSTALL_FULL_SYSCONFDIR}/kns\" TYPE FILE FILES \"${CMAKE_SOURCE_DIR}/config/kns.conf\")
  endif()")
install(FILES config/feeds.opml DESTINATION ${CMAKE_INSTALL_DATADIR}/kns OPTIONAL)
install(FILES config/kns.sysusers DESTINATION lib/sysusers.d RENAME kns.conf)
install(FILES config/kns.tmpfiles DESTINATION lib/tmpfiles.d RENAME kns.conf)

foreach(unit knsd.service knsd.socket kns-digest.service kns-digest.timer)
  configure_file(systemd/${unit}.in ${CMAKE_BINARY_DIR}/systemd/${unit} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/systemd/${unit} DESTINATION lib/systemd/system)
endforeach()
foreach(unit knsd.service knsd.socket)
  configure_file(systemd/user/${unit}.in ${CMAKE_BINARY_DIR}/systemd/user/${unit} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/systemd/user/${unit} DESTINATION lib/systemd/user)
endforeach()
