# mbed TLS as a library of gs_tls (tls_backend = mbedtls): 2.28, or 3.6 with TLS 1.3. Sets
# GS_HAVE_MBEDTLS, for CMake and for tls.c. Another copy than the system's: -DCMAKE_PREFIX_PATH=DIR.
set(GS_TLS_MBEDTLS AUTO CACHE STRING "TLS by mbed TLS: AUTO (when it is there), ON, OFF")
set_property(CACHE GS_TLS_MBEDTLS PROPERTY STRINGS AUTO ON OFF)

set(GS_HAVE_MBEDTLS FALSE)
if(GS_TLS_MBEDTLS)
    find_path(MBEDTLS_INCLUDE_DIR mbedtls/ssl.h)
    find_library(MBEDTLS_LIBRARY mbedtls)
    find_library(MBEDX509_LIBRARY mbedx509)
    find_library(MBEDCRYPTO_LIBRARY mbedcrypto)
    if(MBEDTLS_INCLUDE_DIR AND MBEDTLS_LIBRARY AND MBEDX509_LIBRARY AND MBEDCRYPTO_LIBRARY)
        # Its version, and that it was built for several threads, are looked at in that header.
        include(CheckCSourceCompiles)
        set(CMAKE_REQUIRED_INCLUDES ${MBEDTLS_INCLUDE_DIR} ${PROJECT_SOURCE_DIR})
        check_c_source_compiles(
            "#include \"tls/mbed_compat.h\"\nint main(void) { return 0; }" GS_MBEDTLS_SUITS)
        unset(CMAKE_REQUIRED_INCLUDES)
        set(GS_HAVE_MBEDTLS ${GS_MBEDTLS_SUITS})
    endif()
    if(NOT GS_HAVE_MBEDTLS AND NOT GS_TLS_MBEDTLS STREQUAL "AUTO")
        message(FATAL_ERROR "GS_TLS_MBEDTLS: needs mbed TLS 2.28 or 3.6 with MBEDTLS_THREADING_C")
    endif()
endif()

if(GS_HAVE_MBEDTLS)
    target_include_directories(gs_tls SYSTEM PUBLIC ${MBEDTLS_INCLUDE_DIR})
    target_link_libraries(gs_tls
        PUBLIC ${MBEDTLS_LIBRARY} ${MBEDX509_LIBRARY} ${MBEDCRYPTO_LIBRARY})
    target_compile_definitions(gs_tls PUBLIC GS_HAVE_MBEDTLS)
else()
    get_target_property(sources gs_tls SOURCES)
    list(FILTER sources EXCLUDE REGEX "/tls/(tls_)?mbed")
    set_property(TARGET gs_tls PROPERTY SOURCES ${sources})
endif()
message(STATUS "TLS by mbed TLS: ${GS_HAVE_MBEDTLS}")
