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
    set_target_properties(gs_tls PROPERTIES SOURCES "${sources}")
endfunction()
