# Run by `cmake --install` (see Install.cmake), which sets source, bindir, sysconfdir and staging: what a
# service manager needs, with the paths of this installation.
if(NOT IS_ABSOLUTE "${bindir}")
    set(bindir "${CMAKE_INSTALL_PREFIX}/${bindir}")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/InstallSysconfdir.cmake")

function(gs_install_service name as target)
    configure_file("${source}/${name}.in" "${staging}/${as}" @ONLY)
    file(INSTALL "${staging}/${as}" DESTINATION "${target}"
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${target}/${as}")
    set(CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_MANIFEST_FILES}" PARENT_SCOPE)
endfunction()

gs_install_service(gearshift.service gearshift.service "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")
gs_install_service(gearshift.sysusers gearshift.conf "${CMAKE_INSTALL_PREFIX}/lib/sysusers.d")
gs_install_service(gearshift.tmpfiles gearshift.conf "${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d")
gs_install_service(gearshift.logrotate gearshift "${sysconfdir}/logrotate.d")
