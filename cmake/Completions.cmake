# knsctl prints the completion scripts of shells from its own table of verbs.
set(completions bash/knsctl zsh/_knsctl fish/knsctl.fish)
set(bash_dir ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(zsh_dir ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
set(fish_dir ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
foreach(completion ${completions})
  get_filename_component(shell ${completion} DIRECTORY)
  set(file ${CMAKE_BINARY_DIR}/completions/${completion})
  add_custom_command(OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/completions/${shell}
    COMMAND knsctl completion ${shell} > ${file}
    DEPENDS knsctl VERBATIM)
  list(APPEND completion_files ${file})
  install(FILES ${file} DESTINATION ${${shell}_dir})
endforeach()
add_custom_target(completions ALL DEPENDS ${completion_files})
