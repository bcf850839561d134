# libristretto: the C interface of the kernels (native/include/ristretto.h), and its installation.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

file(GLOB c_api_sources CONFIGURE_DEPENDS native/c_api/*.cpp)
add_library(ristretto SHARED ${c_api_sources})
add_library(ristretto::ristretto ALIAS ristretto)
set_target_properties(ristretto PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  PUBLIC_HEADER native/include/ristretto.h)
target_compile_definitions(ristretto PRIVATE RISTRETTO_BUILDS_LIBRARY)
target_include_directories(ristretto PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/native/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(ristretto PRIVATE ristretto_core ristretto_options)
# Hidden visibility is not enough: the standard library's templates are visible wherever they are instantiated.
if(APPLE)
  target_link_options(ristretto PRIVATE -Wl,-exported_symbol,_ristretto_*)
else()
  target_link_options(ristretto PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/native/c_api/exports.map)
  set_property(TARGET ristretto APPEND PROPERTY LINK_DEPENDS ${CMAKE_SOURCE_DIR}/native/c_api/exports.map)
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/ristretto)
install(TARGETS ristretto EXPORT ristretto-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT ristretto-targets NAMESPACE ristretto:: DESTINATION ${package_folder})
configure_package_config_file(cmake/ristretto-config.cmake.in ${CMAKE_BINARY_DIR}/ristretto-config.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ristretto-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ristretto-config.cmake ${CMAKE_BINARY_DIR}/ristretto-config-version.cmake
  DESTINATION ${package_folder})
