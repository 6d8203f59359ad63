# cmake --install: the server, its manual, the site and a server.conf that serves it from where it
# was installed. An existing server.conf is left alone.
install(TARGETS gearshift RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES man/gearshift.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES man/server.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md)
install(DIRECTORY www/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/www)

# The prefix may be given as late as `cmake --install --prefix`, so server.conf is written then.
# GNUInstallDirs: /etc, not /usr/etc, below the prefix /usr; an absolute directory is kept.
install(CODE "
    set(source [==[${PROJECT_SOURCE_DIR}/server.conf]==])
    set(sysconfdir [==[${CMAKE_INSTALL_SYSCONFDIR}]==])
    set(datadir [==[${CMAKE_INSTALL_DATADIR}]==])
    set(staging [==[${PROJECT_BINARY_DIR}/server.conf]==])
    include([==[${PROJECT_SOURCE_DIR}/cmake/InstallConf.cmake]==])
")
