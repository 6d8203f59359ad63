# Ends the configuration with what is missing and which package has it: gs_missing(TEXT DEBIAN-PACKAGE),
# where packages.txt tells how others call that package. gs_require(PREFIX MODULE TEXT DEBIAN-PACKAGE) is
# pkg_check_modules() that ends so.
function(gs_missing text package)
    string(REGEX REPLACE "[.]" "[.]" pattern "${package}")
    file(STRINGS ${PROJECT_SOURCE_DIR}/packages.txt lines
        REGEX "^[a-z]+ +([^ ]*[|])?${pattern}([|][^ ]*)? ")
    string(REGEX REPLACE "#.*" "" line "${lines}")
    string(REGEX MATCHALL "[^ ;]+" names "${line}")
    list(APPEND names - - - - -)
    list(SUBLIST names 1 4 names)
    set(advice "")
    set(systems Debian Fedora Arch Alpine)
    foreach(system name IN ZIP_LISTS systems names)
        if(name AND NOT name STREQUAL "-")
            string(REPLACE "|" " or " name "${name}")
            string(APPEND advice "\n    ${system}: ${name}")
        endif()
    endforeach()
    message(FATAL_ERROR "${text}. The package to install:${advice}\n"
        "All that is needed is in packages.txt.")
endfunction()

function(gs_require prefix module text package)
    pkg_check_modules(${prefix} IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${prefix}_FOUND)
        gs_missing("${text}: pkg-config finds no ${module}" ${package})
    endif()
    set(${prefix}_VERSION "${${prefix}_VERSION}" PARENT_SCOPE)
endfunction()
