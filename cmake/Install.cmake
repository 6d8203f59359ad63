# cmake --install: the server, its manual, the comparison of its engines, the site and a server.conf that serves it from where it
# was installed. An existing server.conf is left alone. The server is a command that users start, too: docs/decisions/0029.
install(TARGETS gearshift RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES man/gearshift-compare.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES man/gearshift.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES man/server.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md PATTERN *.svg)
install(DIRECTORY www/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/www)

# gearshift-compare finds its package by a path relative to its own, so that any prefix will do, and the
# server beside itself.
file(RELATIVE_PATH compare_package
    ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/gearshift/bench)
file(READ bench/compare compare_text)
string(REPLACE "../share/gearshift/bench" "${compare_package}" compare_text "${compare_text}")
file(WRITE ${PROJECT_BINARY_DIR}/gearshift-compare "${compare_text}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS bench/compare)
install(PROGRAMS ${PROJECT_BINARY_DIR}/gearshift-compare DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY bench/gearshift_compare DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/bench
    PATTERN __pycache__ EXCLUDE)
install(DIRECTORY bench/peers DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/bench
    FILES_MATCHING PATTERN *.in PATTERN servers.json PATTERN run EXCLUDE)

# The prefix may be given as late as `cmake --install --prefix`, so server.conf is written then.
install(CODE "
    set(source [==[${PROJECT_SOURCE_DIR}/server.conf]==])
    set(sysconfdir [==[${CMAKE_INSTALL_SYSCONFDIR}]==])
    set(datadir [==[${CMAKE_INSTALL_DATADIR}]==])
    set(staging [==[${PROJECT_BINARY_DIR}/server.conf]==])
    include([==[${PROJECT_SOURCE_DIR}/cmake/InstallConf.cmake]==])
")

install(CODE "
    set(source [==[${PROJECT_SOURCE_DIR}/packaging]==])
    set(bindir [==[${CMAKE_INSTALL_BINDIR}]==])
    set(sysconfdir [==[${CMAKE_INSTALL_SYSCONFDIR}]==])
    set(staging [==[${PROJECT_BINARY_DIR}/packaging]==])
    include([==[${PROJECT_SOURCE_DIR}/cmake/InstallService.cmake]==])
")
