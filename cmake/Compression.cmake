# Libraries of the content codings that `compress` makes, and sidecars are read in. zlib is always there; the others are left out by
# -DGS_BROTLI=OFF and -DGS_ZSTD=OFF, and must be there otherwise, so that no build lacks one by chance.
option(GS_BROTLI "Content coding br, by libbrotlienc" ON)
option(GS_ZSTD "Content coding zstd, by libzstd" ON)

gs_require(ZLIB zlib "zlib, which compresses to gzip, is missing" zlib1g-dev)
if(GS_BROTLI)
    gs_require(BROTLI libbrotlienc "libbrotlienc, which compresses to br, is missing (GS_BROTLI=OFF does without)"
        libbrotli-dev)
    gs_require(UNBROTLI libbrotlidec "libbrotlidec, which decompresses br, is missing (GS_BROTLI=OFF does without)"
        libbrotli-dev)
endif()
if(GS_ZSTD)
    gs_require(ZSTD libzstd "libzstd, which compresses to zstd, is missing (GS_ZSTD=OFF does without)" libzstd-dev)
endif()

# Gives gs_http the libraries, and takes out of it the files of those that are left out.
function(gs_compressors)
    get_target_property(sources gs_http SOURCES)
    target_link_libraries(gs_core PUBLIC PkgConfig::ZLIB) # crc32(), and the rest for gs_http
    foreach(coding BROTLI ZSTD)
        if(GS_${coding})
            target_compile_definitions(gs_http PUBLIC GS_${coding})
            target_link_libraries(gs_http PUBLIC PkgConfig::${coding})
        endif()
    endforeach()
    if(GS_BROTLI)
        target_link_libraries(gs_http PUBLIC PkgConfig::UNBROTLI)
    else()
        list(FILTER sources EXCLUDE REGEX "/(de)?compressor_br[.]c$")
    endif()
    if(NOT GS_ZSTD)
        list(FILTER sources EXCLUDE REGEX "/(de)?compressor_zstd[.]c$")
    endif()
    set_target_properties(gs_http PROPERTIES SOURCES "${sources}")
endfunction()
