#compdef gearshift
# Completions of gearshift(8) for zsh. Keys, their values and engines are asked of the binary, so that
# they are those of its version.

_gearshift_engines() {
    local -a engines
    engines=(${(f)"$(_call_program engines $service -h 2>/dev/null |
        sed -n '/^engines:/,$s/^  \([a-z][a-z-]*\)  *\(.*\)/\1:\2/p')"})
    _describe -t engines engine engines
}

_gearshift_settings() {
    local -a found
    if compset -P '*='; then
        local key=${IPREFIX%=}
        key=${key##*=}
        if [[ $key == engine ]]; then
            _gearshift_engines
        else
            found=(${(f)"$(_call_program values $service keys --values $key 2>/dev/null)"})
            compadd -a found
        fi
    else
        found=(${(f)"$(_call_program keys $service keys --settings 2>/dev/null | sed 's/:/\\:/g; s/\t/:/')"})
        _describe -t keys key found -S =
    fi
}

_gearshift_keys() {
    local -a found
    found=(${(f)"$(_call_program keys $service keys 2>/dev/null | sed 's/:/\\:/g; s/\t/:/')"})
    _describe -t keys key found
}

_gearshift() {
    local -a commands order config
    commands=(
        'doctor:what of this machine the server can use'
        'top:what a server that runs does'
        'explain:what would be answered, and why'
        'sign:make a link that ends by itself'
        'dictionary:make deltas of files'
        'keys:what may stand in server.conf'
        'health:ask a server whether it is well'
        'status:version, state, engine and workers'
        'stats:status, with all counters'
        'reload:read the configuration anew'
        'shift:change the engine'
        'upgrade:execute the binary anew'
        'drain:finish the answers in progress, and end'
        'stop:close all connections, and end'
        'reopen:open the logs again'
    )
    config=('(-c --config)'{-c,--config}'[the configuration]:file:_files')
    order=($config '--control[the control socket]:socket:_files')

    if ((CURRENT > 2)); then
        local command=$words[2]
        case $command in
            doctor) _arguments '2: :' '--json[for programs]'; return ;;
            top) _arguments '2: :' $order '-n[end after so many looks]:looks:'; return ;;
            explain)
                _arguments '2: :' $config '--json[for programs]' '(-X --method)'{-X,--method}'[the method]:method:(GET HEAD OPTIONS)' \
                    '*'{-H,--header}'[a field]:field:' '--from[who asks]:address:' \
                    '--at[the address that is asked]:address:' '3:URL:' '4:folder:_directories'
                return
                ;;
            sign) _arguments '2: :' '--key[the file with the key]:file:_files' '--expires[how long it holds]:duration:'; return ;;
            dictionary) _arguments '2: :' '--coding[this coding alone]:coding:(dcz dcb)' '*:file:_files'; return ;;
            keys) _arguments '2: :' '--settings[those that -o can set]' '--values[the words that a key takes]' '*:key:_gearshift_keys'; return ;;
            health) _arguments '2: :' '--timeout[how long it may take]:duration:' '*:URL:'; return ;;
            shift) _arguments '2: :' $order '--json[for programs]' '3:engine:_gearshift_engines' '*:setting:_gearshift_settings'; return ;;
            status | stats | reload | upgrade | drain | stop | reopen) _arguments '2: :' $order '--json[for programs]'; return ;;
        esac
    fi
    _arguments $config \
        '--root[the folder to serve]:folder:_directories' \
        '(-p --port)'{-p,--port}'[its port]:port:' \
        '--listen[its address]:address:' \
        '--tls-port[its port with TLS]:port:' \
        '--tls-self-signed[make a certificate for trying out]' \
        '(-e --engine)'{-e,--engine}'[what moves the bytes]:engine:_gearshift_engines' \
        '*'{-o,--option}'[set a key of server.conf]:setting:_gearshift_settings' \
        '(-t --test)'{-t,--test}'[test the configuration]' \
        '--strict[with -t\: warnings are errors]' \
        '(-T --print)'{-T,--print}'[print the configuration in force]' \
        '--explain[what would be answered]:URL:' \
        '(-h --help)'{-h,--help}'[a summary]' \
        '(-v --version)'{-v,--version}'[the version]' \
        '(-V --build-info)'{-V,--build-info}'[the version, and what is built in]' \
        '1: :{ _describe -t commands command commands; _directories }'
}

_gearshift "$@"
