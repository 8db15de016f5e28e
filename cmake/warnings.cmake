# One baseline for gcc and clang; see STYLE.md.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wformat=2 -Wvla -Wundef -Wswitch-enum -Wimplicit-fallthrough -Wwrite-strings
  -Wno-overlength-strings -fno-common -fvisibility=hidden -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(STELLA_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
  if(NOT STELLA_SANITIZE)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(STELLA_SANITIZE)
  add_compile_options(-fsanitize=${STELLA_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${STELLA_SANITIZE})
  if(STELLA_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(STELLA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link) # coverage for the targets; no main
endif()
