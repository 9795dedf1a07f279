# hawser as an ESP-IDF component. Included by CMakeLists.txt where ESP-IDF reads it.
include(${CMAKE_CURRENT_LIST_DIR}/sources.cmake)
idf_component_register(
  SRCS ${HAWSER_CORE_SOURCES} ${HAWSER_GATEWAY_SOURCES} ${HAWSER_PORT_PSA_SOURCES} sdk/random_esp_idf.c
  INCLUDE_DIRS include ports/psa sdk
  REQUIRES mbedtls
  PRIV_REQUIRES esp_hw_support)
target_compile_definitions(${COMPONENT_LIB} PUBLIC HAWSER_CONFIG_FILE="hawser_kconfig.h")
