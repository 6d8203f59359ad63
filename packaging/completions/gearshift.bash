# Completions of gearshift(8) for bash. Keys, their values and engines are asked of the binary, so
# that they are those of its version. Needs nothing of bash-completion but to be loaded by it.

_gearshift_lines() {
    local line
    while IFS= read -r line; do COMPREPLY+=("$line"); done
}

# KEY=VALUE, of which bash has made three words where '=' is a break.
_gearshift_setting() {
    local binary=$1 word=$2
    case $word in
        *=*)
            local key=${word%%=*} value=${word#*=} prefix=
            [[ $COMP_WORDBREAKS == *=* ]] || prefix=$key=
            if [[ $key == engine ]]; then
                _gearshift_lines < <(compgen -P "$prefix" -W "$(_gearshift_engines "$binary")" -- "$value")
            else
                _gearshift_lines < <(compgen -P "$prefix" -W "$("$binary" keys --values "$key" 2>/dev/null)" -- "$value")
            fi
            ;;
        *)
            compopt -o nospace 2>/dev/null
            _gearshift_lines < <(compgen -S = -W "$("$binary" keys --settings 2>/dev/null | cut -f1)" -- "$word")
            ;;
    esac
}

_gearshift_engines() {
    "$1" -h 2>/dev/null | sed -n '/^engines:/,$s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_gearshift_files() {
    compopt -o filenames 2>/dev/null
    _gearshift_lines < <(compgen "-$1" -- "$2")
}

_gearshift() {
    local binary=${COMP_WORDS[0]} command=${COMP_WORDS[1]:-} i
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    ((COMP_CWORD > 1)) || command=
    # "-o", "key", "=", "va": together again.
    i=$COMP_CWORD
    if [[ $word == = ]]; then
        word=$before= i=$((i - 1))
    elif [[ $before == = && $i -ge 2 ]]; then
        word=${COMP_WORDS[i - 2]}=$word i=$((i - 2))
    fi
    before=${COMP_WORDS[i - 1]}

    case $before in
        -c | --config | --key) _gearshift_files f "$word" && return ;;
        --root) _gearshift_files d "$word" && return ;;
        --control) _gearshift_files f "$word" && return ;;
        -e | --engine)
            _gearshift_lines < <(compgen -W "$(_gearshift_engines "$binary")" -- "$word")
            return
            ;;
        -o | --option) _gearshift_setting "$binary" "$word" && return ;;
        -X | --method) _gearshift_lines < <(compgen -W "GET HEAD OPTIONS" -- "$word") && return ;;
        --coding) _gearshift_lines < <(compgen -W "dcz dcb" -- "$word") && return ;;
        -p | --port | --listen | --tls-port | -n | -H | --header | --from | --at | --expires | --timeout) return ;;
    esac

    local words
    case $command in
        doctor) words="--json" ;;
        top) words="-n --control -c --config" ;;
        explain) words="-X --method -H --header --from --at --json -c --config" ;;
        sign) words="--key --expires" ;;
        dictionary) words="--coding" ;;
        health) words="--timeout" ;;
        keys)
            if [[ $word != -* ]]; then
                words=$("$binary" keys 2>/dev/null | cut -f1)
            else
                words="--settings --values"
            fi
            ;;
        shift)
            words="--control -c --config --json"
            if [[ $word != -* && $i == 2 ]]; then
                words=$(_gearshift_engines "$binary")
            elif [[ $word != -* ]]; then
                _gearshift_setting "$binary" "$word"
                return
            fi
            ;;
        status | stats | reload | upgrade | drain | stop | reopen) words="--control -c --config --json" ;;
        *)
            words="-p --port --root --listen --tls-port --tls-self-signed -c --config -e --engine -o --option
                -t --test --strict -T --print --explain -h --help -v --version -V --build-info"
            if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
                words="doctor top explain sign dictionary keys health
                    status stats reload shift upgrade drain stop reopen"
            fi
            ;;
    esac
    _gearshift_lines < <(compgen -W "$words" -- "$word")
    if [[ $word != -* ]]; then
        case $command in
            explain) _gearshift_files d "$word" ;;
            dictionary) _gearshift_files f "$word" ;;
            doctor | top | sign | health | keys | shift | status | stats | reload | upgrade | drain | stop | reopen) ;;
            *) _gearshift_files d "$word" ;;
        esac
    fi
}
complete -F _gearshift gearshift
