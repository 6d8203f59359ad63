# TLS libraries: each is built in when its development package is there (AUTO), or must be there (ON),
# or is left out (OFF). `tls_backend` chooses among them at run time.
set(GS_TLS_OPENSSL AUTO CACHE STRING "TLS by OpenSSL 3.0 or later: AUTO, ON or OFF")
set_property(CACHE GS_TLS_OPENSSL PROPERTY STRINGS AUTO ON OFF)

if(NOT GS_TLS_OPENSSL STREQUAL OFF)
    pkg_check_modules(OPENSSL IMPORTED_TARGET GLOBAL libssl>=3.0 libcrypto>=3.0)
    if(NOT OPENSSL_FOUND AND NOT GS_TLS_OPENSSL STREQUAL AUTO)
        message(FATAL_ERROR "GS_TLS_OPENSSL=ON, and pkg-config finds no libssl of version 3.0 or "
            "later (Debian: libssl-dev)")
    endif()
endif()

set(GS_TLS_MBEDTLS AUTO CACHE STRING "TLS by mbed TLS 2.28 or 3.6: AUTO, ON or OFF")
set_property(CACHE GS_TLS_MBEDTLS PROPERTY STRINGS AUTO ON OFF)

set(GS_HAVE_MBEDTLS FALSE)
# Debian 12's has no file for pkg-config. -DCMAKE_PREFIX_PATH=DIR leads to another copy.
if(NOT GS_TLS_MBEDTLS STREQUAL OFF)
    find_path(MBEDTLS_INCLUDE_DIR mbedtls/ssl.h)
    find_library(MBEDTLS_LIBRARY mbedtls)
    find_library(MBEDX509_LIBRARY mbedx509)
    find_library(MBEDCRYPTO_LIBRARY mbedcrypto)
    if(MBEDTLS_INCLUDE_DIR AND MBEDTLS_LIBRARY AND MBEDX509_LIBRARY AND MBEDCRYPTO_LIBRARY)
        # The header refuses what does not suit: versions, a library not built for threads.
        include(CheckCSourceCompiles)
        set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
        set(CMAKE_REQUIRED_INCLUDES ${PROJECT_SOURCE_DIR} ${MBEDTLS_INCLUDE_DIR})
        set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
        check_c_source_compiles("#include \"tls/mbed_compat.h\"" MBEDTLS_SUITS)
        set(GS_HAVE_MBEDTLS ${MBEDTLS_SUITS})
        unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
        unset(CMAKE_REQUIRED_DEFINITIONS)
        unset(CMAKE_REQUIRED_INCLUDES)
    endif()
    if(NOT GS_HAVE_MBEDTLS AND NOT GS_TLS_MBEDTLS STREQUAL AUTO)
        message(FATAL_ERROR "GS_TLS_MBEDTLS=ON, and there is no mbed TLS 2.28 or 3.6 that was built "
            "with MBEDTLS_THREADING_C (Debian: libmbedtls-dev)")
    endif()
endif()

# Gives gs_tls the libraries found, and takes out of it the files of those that are not.
function(gs_tls_backends)
    get_target_property(sources gs_tls SOURCES)
    if(NOT GS_TLS_OPENSSL STREQUAL OFF AND OPENSSL_FOUND)
        add_library(gs_tls_openssl ALIAS PkgConfig::OPENSSL) # for tests to ask after
        target_compile_definitions(gs_tls PRIVATE GS_TLS_OPENSSL)
        target_link_libraries(gs_tls PUBLIC PkgConfig::OPENSSL)
    else()
        list(FILTER sources EXCLUDE REGEX "/(tls_openssl|openssl_[a-z0-9_]*)[.]c$")
    endif()
    if(GS_HAVE_MBEDTLS)
        target_compile_definitions(gs_tls PRIVATE GS_TLS_MBEDTLS)
        target_include_directories(gs_tls SYSTEM PUBLIC ${MBEDTLS_INCLUDE_DIR})
        target_link_libraries(gs_tls
            PUBLIC ${MBEDTLS_LIBRARY} ${MBEDX509_LIBRARY} ${MBEDCRYPTO_LIBRARY})
    else()
        list(FILTER sources EXCLUDE REGEX "/(tls_mbedtls|mbed_[a-z0-9_]*)[.]c$")
    endif()
    set_target_properties(gs_tls PROPERTIES SOURCES "${sources}")
endfunction()
