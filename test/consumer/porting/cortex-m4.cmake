# A bare Cortex-M4: newlib's string functions, the memory of firmware/boards/mps2, no startup files, no heap. All that the page
# shows is kept, whether main() calls it or not.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nano.specs -nostartfiles -Wl,--gc-sections -T${CMAKE_CURRENT_LIST_DIR}/../../../firmware/boards/mps2/link.ld")
foreach(shown IN ITEMS sleep_save sleep_wake keys_provision)
  string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -Wl,-u,${shown}")
endforeach()
