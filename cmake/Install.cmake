# cmake --install: the server, its manual, the comparison of its engines, the site and a server.conf that serves it from where it
# was installed. An existing server.conf is left alone. The server is a command that users start, too: docs/decisions/0029.
install(TARGETS gearshift gearshift-load RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES man/gearshift-capacity.1 man/gearshift-compare.1 man/gearshift-load.1 man/gearshift-migrate.1 man/gearshift-trace.1
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES man/gearshift.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES man/server.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md PATTERN *.svg
    PATTERN site EXCLUDE) # what builds the pages' site
install(DIRECTORY www/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/www)

# Where shells look for completions of what is in CMAKE_INSTALL_PREFIX; Debian moves zsh's (debian/rules).
install(FILES packaging/completions/gearshift.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME gearshift)
install(FILES packaging/completions/gearshift.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
    RENAME _gearshift)
install(FILES packaging/completions/gearshift.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# gearshift-compare, gearshift-trace and gearshift-migrate find their packages by a path relative to their own, so that any prefix will do,
# and the server beside themselves. gs_script(NAME FOLDER): FOLDER/NAME with its package, as gearshift-NAME.
function(gs_script name folder)
    file(RELATIVE_PATH package
        ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/gearshift/${folder})
    file(READ ${folder}/${name} text)
    string(REPLACE "../share/gearshift/${folder}" "${package}" text "${text}")
    file(WRITE ${PROJECT_BINARY_DIR}/gearshift-${name} "${text}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${name})
    install(PROGRAMS ${PROJECT_BINARY_DIR}/gearshift-${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(DIRECTORY ${folder}/gearshift_${name} DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/${folder}
        PATTERN __pycache__ EXCLUDE)
endfunction()
gs_script(compare bench)
gs_script(trace bench)
gs_script(migrate migrate)
install(DIRECTORY bench/peers DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift/bench
    FILES_MATCHING PATTERN *.in PATTERN servers.json PATTERN run EXCLUDE)
install(PROGRAMS bench/capacity DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME gearshift-capacity)

# Configurations of other programs, which operators copy.
install(DIRECTORY deploy DESTINATION ${CMAKE_INSTALL_DATADIR}/gearshift)

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
