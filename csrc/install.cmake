# Headers, libraries, the CMake package and pkg-config files. Included by CMakeLists.txt where HAWSER_INSTALL is on.
include(CMakePackageConfigHelpers)

if(HAWSER_PSA AND needs_psa STREQUAL "hawser-mbedcrypto")
  install(CODE "message(FATAL_ERROR \"hawser::psa was compiled against the tests' own mbedTLS, which is not installed: \"
    \"configure with -DHAWSER_TESTING=OFF and with an mbedTLS of yours\")")
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hawser)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(made ${CMAKE_CURRENT_BINARY_DIR}/install)

# ---- headers: sizes of structs depend on the configuration, so an installed library carries its own ----

set(HAWSER_BUILD_CHOICES "")
if(HAWSER_GATEWAY)
  string(APPEND HAWSER_BUILD_CHOICES "#define HAWSER_GATEWAY 1\n")
endif()
if(HAWSER_CONFIG_FILE)
  string(APPEND HAWSER_BUILD_CHOICES "#include \"hawser/user_config.h\"\n")
  file(STRINGS ${HAWSER_CONFIG_FILE} beside REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
  if(beside)
    message(FATAL_ERROR "HAWSER_CONFIG_FILE: ${beside}: that header would not be installed, so this one must do without")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${HAWSER_CONFIG_FILE})
  install(FILES ${HAWSER_CONFIG_FILE} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hawser RENAME user_config.h)
endif()
configure_file(build.h.in ${made}/build.h @ONLY)

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS include/hawser/config.h)
file(READ include/hawser/config.h config)
string(REPLACE "#ifdef HAWSER_CONFIG_FILE\n#include HAWSER_CONFIG_FILE\n#endif\n" "#include \"hawser/build.h\"\n"
  installed_config "${config}")
if(installed_config STREQUAL config)
  message(FATAL_ERROR "include/hawser/config.h does not include HAWSER_CONFIG_FILE as install.cmake expects")
endif()
file(WRITE ${made}/config.h "${installed_config}")

install(DIRECTORY include/hawser DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h"
  PATTERN config.h EXCLUDE)
install(FILES ${made}/build.h ${made}/config.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hawser)
foreach(port IN LISTS ports)
  install(FILES ports/${port}/port_${port}.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hawser/${port})
endforeach()

# ---- libraries: an export set each, so that one can be used where another's dependency is missing ----

foreach(library IN LISTS libraries)
  install(TARGETS hawser-${library} EXPORT hawser-${library} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT hawser-${library} NAMESPACE hawser:: FILE hawser-${library}-targets.cmake DESTINATION ${package_dir})
endforeach()
configure_package_config_file(hawser-config.cmake.in ${made}/hawser-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${made}/hawser-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${made}/hawser-config.cmake ${made}/hawser-config-version.cmake DESTINATION ${package_dir})

# ---- pkg-config: hawser-NAME, and hawser for the first ----

file(RELATIVE_PATH HAWSER_PC_PREFIX /${pkgconfig_dir} /)
function(hawser_pkgconfig name requires libs cflags)
  set(HAWSER_PC_NAME ${name})
  set(HAWSER_PC_REQUIRES ${requires})
  set(HAWSER_PC_LIBS ${libs})
  set(HAWSER_PC_CFLAGS ${cflags})
  configure_file(hawser.pc.in ${made}/${name}.pc @ONLY)
  install(FILES ${made}/${name}.pc DESTINATION ${pkgconfig_dir})
endfunction()

set(requires_openssl "libcrypto >= 3.0")
set(requires_psa "")
if(needs_psa STREQUAL "MbedTLS::mbedcrypto") # a target of another name has no name here
  set(requires_psa "mbedcrypto >= 3.6")
endif()
foreach(library IN LISTS libraries)
  hawser_pkgconfig(hawser-${library} "${requires_${library}}" "-L\${libdir} -lhawser-${library}"
    "-I\${includedir} -I\${includedir}/hawser/${library}")
endforeach()
hawser_pkgconfig(hawser "hawser-${default_library} = ${PROJECT_VERSION}" "" "")
