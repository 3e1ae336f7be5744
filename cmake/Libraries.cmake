# Every library comes from pkg-config; a missing one is named with its Debian package.
find_package(PkgConfig REQUIRED)

function(kns_require name module package)
  pkg_check_modules(${name} QUIET IMPORTED_TARGET ${module})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${module} is missing: install the package ${package} (or run ./dev deps)")
  endif()
endfunction()

kns_require(UV libuv libuv1-dev)
kns_require(CURL libcurl>=7.84 libcurl4-openssl-dev)
kns_require(EXPAT expat libexpat1-dev)
kns_require(SQLITE sqlite3>=3.38 libsqlite3-dev)
kns_require(MHD libmicrohttpd libmicrohttpd-dev)
kns_require(JANSSON jansson libjansson-dev)
kns_require(GUMBO gumbo libgumbo-dev)
kns_require(CMARK libcmark libcmark-dev)
kns_require(INIH inih libinih-dev)
kns_require(PSL libpsl libpsl-dev)
kns_require(UTF8PROC libutf8proc libutf8proc-dev)
kns_require(PCRE2 libpcre2-8 libpcre2-dev)
kns_require(CRYPTO libcrypto>=3.0 libssl-dev)
pkg_check_modules(SYSTEMD QUIET IMPORTED_TARGET libsystemd)
find_package(Threads REQUIRED)

add_library(kns_lib_deps INTERFACE)
target_link_libraries(kns_lib_deps INTERFACE PkgConfig::EXPAT PkgConfig::SQLITE PkgConfig::JANSSON
  PkgConfig::GUMBO PkgConfig::CMARK PkgConfig::PSL PkgConfig::UTF8PROC PkgConfig::PCRE2
  PkgConfig::CURL m)

add_library(kns_daemon_deps INTERFACE)
target_link_libraries(kns_daemon_deps INTERFACE PkgConfig::UV PkgConfig::CURL PkgConfig::MHD
  PkgConfig::INIH PkgConfig::CRYPTO Threads::Threads)
if(SYSTEMD_FOUND)
  target_link_libraries(kns_daemon_deps INTERFACE PkgConfig::SYSTEMD)
  target_compile_definitions(kns_daemon_deps INTERFACE KNS_HAVE_SYSTEMD)
else()
  message(STATUS "libsystemd is missing (libsystemd-dev): building without sd_notify and socket activation")
endif()

add_library(kns_ctl_deps INTERFACE)
target_link_libraries(kns_ctl_deps INTERFACE PkgConfig::CURL)
