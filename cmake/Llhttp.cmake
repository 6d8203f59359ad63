# llhttp: a newer one with a CMake package first (9.x), else Debian's node-llhttp, which ships its C
# sources (8.1.0). LLHTTP_STRICT_MODE must be the same for its own files and for every includer.
find_package(llhttp CONFIG QUIET)
if(TARGET llhttp::llhttp_static)
    add_library(llhttp ALIAS llhttp::llhttp_static)
else()
    find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp REQUIRED)
    find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp REQUIRED)
    add_library(llhttp STATIC
        ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c)
    target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
    target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    target_compile_options(llhttp PRIVATE ${GS_LTO_OPTIONS})
endif()
