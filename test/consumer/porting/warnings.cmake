# For the page's own files, not for mbedTLS's.
cmake_language(DEFER CALL target_compile_options meter PRIVATE -Wall -Wextra -Wconversion -Werror)
