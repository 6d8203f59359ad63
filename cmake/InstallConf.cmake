# Run by `cmake --install` (see Install.cmake), which sets source, sysconfdir, datadir and staging.
include("${CMAKE_CURRENT_LIST_DIR}/InstallSysconfdir.cmake")
if(NOT IS_ABSOLUTE "${datadir}")
    set(datadir "${CMAKE_INSTALL_PREFIX}/${datadir}")
endif()

file(READ "${source}" text)
string(REGEX MATCHALL "root *= *\"www\"" roots "${text}")
list(LENGTH roots count)
if(NOT count EQUAL 1)
    message(FATAL_ERROR "${source}: expected one line root = \"www\", found ${count}")
endif()
string(REGEX REPLACE "root *= *\"www\"" "root = \"${datadir}/gearshift/www\"" text "${text}")

set(target "${sysconfdir}/gearshift/server.conf")
file(WRITE "${staging}" "${text}") # Uninstall.cmake compares with it
if(EXISTS "$ENV{DESTDIR}${target}")
    message(STATUS "Kept: $ENV{DESTDIR}${target}")
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${target}")
else()
    file(INSTALL "${staging}" DESTINATION "${sysconfdir}/gearshift"
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endif()
