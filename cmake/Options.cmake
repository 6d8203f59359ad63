# How everything is compiled. Warnings are for our own code only (the interface library
# gs_options); optimization, hardening, sanitizers and coverage hold for llhttp too, which reads
# what strangers send.
option(GS_WERROR "Warnings are errors (CI)" OFF)
option(GS_LTO "Optimize across files in a release build (gcc)" ON)
option(GS_COVERAGE "Measure coverage (gcov)" OFF)
option(GS_FUZZ "Build only the fuzz targets, with libFuzzer (clang)" OFF)
set(GS_USDT AUTO CACHE STRING "Probes for bpftrace (sys/sdt.h of systemtap-sdt-dev): AUTO, ON or OFF")
set_property(CACHE GS_USDT PROPERTY STRINGS AUTO ON OFF)
set(GS_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize= (address,undefined or thread)")
set(GS_DEBUG_INFO "-g" CACHE STRING "What there is for a debugger: -g, or -g1, which is lines alone (CI)")
set(GS_FUZZ_SECONDS 10 CACHE STRING "How long ctest runs each libFuzzer target")
set(GS_FUZZ_SEED 0 CACHE STRING "What libFuzzer draws its inputs from; 0: other ones in each run")

include(CheckCCompilerFlag)
include(CheckPIESupported)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 ${GS_DEBUG_INFO}") # no -DNDEBUG: assertions stay on
set(CMAKE_C_FLAGS_DEBUG "-O1 ${GS_DEBUG_INFO} -fno-omit-frame-pointer")

add_library(gs_options INTERFACE)
target_compile_definitions(gs_options INTERFACE _GNU_SOURCE)
target_compile_options(gs_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla)
if(GS_WERROR)
    target_compile_options(gs_options INTERFACE -Werror)
endif()

if(NOT GS_USDT STREQUAL OFF)
    include(CheckIncludeFile)
    check_include_file(sys/sdt.h GS_HAVE_SDT)
    if(GS_HAVE_SDT)
        target_compile_definitions(gs_options INTERFACE GS_USDT)
    elseif(NOT GS_USDT STREQUAL AUTO)
        message(FATAL_ERROR "GS_USDT=ON, and there is no sys/sdt.h (Debian: systemtap-sdt-dev)")
    endif()
endif()

check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT GS_SANITIZE)
    add_compile_options(-fstack-protector-strong -fstack-clash-protection
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    check_c_compiler_flag(-fcf-protection GS_HAVE_CF_PROTECTION) # x86 only
    if(GS_HAVE_CF_PROTECTION)
        add_compile_options(-fcf-protection)
    endif()
    # A quarter less user time a request. The objects are fat, so that the many test programs link
    # without it, in a tenth of the time; what is shipped is tested as it is by wire and cli.
    if(GS_LTO AND CMAKE_C_COMPILER_ID STREQUAL GNU)
        set(GS_LTO_OPTIONS -flto=auto -ffat-lto-objects)
    endif()
endif()

if(GS_SANITIZE)
    add_compile_options(-fsanitize=${GS_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${GS_SANITIZE})
endif()
if(GS_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
if(GS_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "GS_FUZZ needs clang (preset fuzz): libFuzzer is a part of it")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
