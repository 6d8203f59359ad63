# llhttp: the C sources in LLHTTP_SOURCE_DIR and LLHTTP_INCLUDE_DIR, where they are given; else as whoever is
# there ships it: 9.x with a CMake package (Debian 13's libllhttp-dev has only the shared library in it, an own
# build perhaps only the static one), 9.x with a file for pkg-config, or the C sources of 8.1.0 in Debian 12's
# node-llhttp. Debian 13's node-llhttp has no sources any more.
# http/request.c refuses an 8.x that was built loosely, so LLHTTP_STRICT_MODE must be the same for its own
# files and for every includer.
macro(gs_llhttp_of_sources)
    add_library(llhttp STATIC
        ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c)
    target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
    target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    target_compile_options(llhttp PRIVATE ${GS_LTO_OPTIONS})
    message(STATUS "llhttp: sources in ${LLHTTP_SOURCE_DIR}")
endmacro()

function(gs_find_llhttp)
    if(LLHTTP_SOURCE_DIR AND LLHTTP_INCLUDE_DIR)
        gs_llhttp_of_sources()
        return()
    endif()
    find_package(llhttp CONFIG QUIET)
    foreach(kind static shared)
        if(TARGET llhttp::llhttp_${kind})
            set_target_properties(llhttp::llhttp_${kind} PROPERTIES IMPORTED_GLOBAL TRUE)
            add_library(llhttp ALIAS llhttp::llhttp_${kind})
            message(STATUS "llhttp: ${llhttp_DIR} (${kind})")
            return()
        endif()
    endforeach()

    pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET GLOBAL libllhttp>=9)
    if(LLHTTP_FOUND)
        add_library(llhttp ALIAS PkgConfig::LLHTTP)
        message(STATUS "llhttp: ${LLHTTP_VERSION} by pkg-config")
        return()
    endif()

    find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp)
    find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp)
    if(NOT LLHTTP_SOURCE_DIR OR NOT LLHTTP_INCLUDE_DIR)
        gs_missing("llhttp, which parses requests, is missing: there is no CMake package of it, no libllhttp \
for pkg-config, and no C sources in /usr/share/llhttp" libllhttp-dev)
    endif()
    gs_llhttp_of_sources()
endfunction()
gs_find_llhttp()
