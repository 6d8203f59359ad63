# Included by scripts of an installation: makes sysconfdir absolute. GNUInstallDirs: /etc, not /usr/etc, below the
# prefix /usr; an absolute directory is kept.
if(NOT IS_ABSOLUTE "${sysconfdir}")
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        set(sysconfdir "/${sysconfdir}")
    else()
        set(sysconfdir "${CMAKE_INSTALL_PREFIX}/${sysconfdir}")
    endif()
endif()
