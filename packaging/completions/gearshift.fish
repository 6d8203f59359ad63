# Completions of gearshift(8) for fish. Keys, their values and engines are asked of the binary, so
# that they are those of its version.

set -l orders status stats reload shift upgrade drain stop reopen
set -l commands doctor top explain sign dictionary keys health $orders

function __gearshift_engines
    gearshift -h 2>/dev/null | string match -rg '^  ([a-z][a-z-]*  +.*)' | string replace -r '^([a-z-]+) +' '$1\t'
end

function __gearshift_settings
    set -l token (commandline -ct)
    if string match -q -- '*=*' $token
        set -l key (string replace -r '=.*' '' -- $token)
        if test $key = engine
            printf "$key=%s\n" (__gearshift_engines)
        else
            for value in (gearshift keys --values $key 2>/dev/null)
                echo $key=$value
            end
        end
    else
        gearshift keys --settings 2>/dev/null | string replace -r '\t' '=\t'
    end
end

complete -c gearshift -f
complete -c gearshift -n "not __fish_seen_subcommand_from $commands" -a '(__fish_complete_directories)'
complete -c gearshift -n __fish_is_first_token -a doctor -d 'what of this machine the server can use'
complete -c gearshift -n __fish_is_first_token -a top -d 'what a server that runs does'
complete -c gearshift -n __fish_is_first_token -a explain -d 'what would be answered, and why'
complete -c gearshift -n __fish_is_first_token -a sign -d 'make a link that ends by itself'
complete -c gearshift -n __fish_is_first_token -a dictionary -d 'make deltas of files'
complete -c gearshift -n __fish_is_first_token -a keys -d 'what may stand in server.conf'
complete -c gearshift -n __fish_is_first_token -a health -d 'ask a server whether it is well'
complete -c gearshift -n __fish_is_first_token -a status -d 'version, state, engine and workers'
complete -c gearshift -n __fish_is_first_token -a stats -d 'status, with all counters'
complete -c gearshift -n __fish_is_first_token -a reload -d 'read the configuration anew'
complete -c gearshift -n __fish_is_first_token -a shift -d 'change the engine'
complete -c gearshift -n __fish_is_first_token -a upgrade -d 'execute the binary anew'
complete -c gearshift -n __fish_is_first_token -a drain -d 'finish the answers in progress, and end'
complete -c gearshift -n __fish_is_first_token -a stop -d 'close all connections, and end'
complete -c gearshift -n __fish_is_first_token -a reopen -d 'open the logs again'

set -l serve "not __fish_seen_subcommand_from $commands"
complete -c gearshift -n $serve -l root -xa '(__fish_complete_directories)' -d 'the folder to serve'
complete -c gearshift -n $serve -s p -l port -x -d 'its port'
complete -c gearshift -n $serve -l listen -x -d 'its address'
complete -c gearshift -n $serve -l tls-port -x -d 'its port with TLS'
complete -c gearshift -n $serve -l tls-self-signed -d 'make a certificate for trying out'
complete -c gearshift -n $serve -s e -l engine -xa '(__gearshift_engines)' -d 'what moves the bytes'
complete -c gearshift -n $serve -s o -l option -xa '(__gearshift_settings)' -d 'set a key of server.conf'
complete -c gearshift -n $serve -s t -l test -d 'test the configuration'
complete -c gearshift -n $serve -l strict -d 'with -t: warnings are errors'
complete -c gearshift -n $serve -s T -l print -d 'print the configuration in force'
complete -c gearshift -n $serve -l explain -x -d 'what would be answered'
complete -c gearshift -n $serve -s h -l help -d 'a summary'
complete -c gearshift -n $serve -s v -l version -d 'the version'
complete -c gearshift -n $serve -s V -l build-info -d 'the version, and what is built in'
complete -c gearshift -n "not __fish_seen_subcommand_from doctor sign dictionary keys health" -s c -l config -rF -d 'the configuration'

complete -c gearshift -n "__fish_seen_subcommand_from doctor explain $orders" -l json -d 'for programs'
complete -c gearshift -n "__fish_seen_subcommand_from top $orders" -l control -rF -d 'the control socket'
complete -c gearshift -n '__fish_seen_subcommand_from top' -s n -x -d 'end after so many looks'
complete -c gearshift -n '__fish_seen_subcommand_from explain' -s X -l method -xa 'GET HEAD OPTIONS' -d 'the method'
complete -c gearshift -n '__fish_seen_subcommand_from explain' -s H -l header -x -d 'a field'
complete -c gearshift -n '__fish_seen_subcommand_from explain' -l from -x -d 'who asks'
complete -c gearshift -n '__fish_seen_subcommand_from explain' -l at -x -d 'the address that is asked'
complete -c gearshift -n '__fish_seen_subcommand_from explain' -a '(__fish_complete_directories)'
complete -c gearshift -n '__fish_seen_subcommand_from sign' -l key -rF -d 'the file with the key'
complete -c gearshift -n '__fish_seen_subcommand_from sign' -l expires -x -d 'how long it holds'
complete -c gearshift -n '__fish_seen_subcommand_from dictionary' -l coding -xa 'dcz dcb' -d 'this coding alone'
complete -c gearshift -n '__fish_seen_subcommand_from dictionary' -F
complete -c gearshift -n '__fish_seen_subcommand_from keys' -l settings -d 'those that -o can set'
complete -c gearshift -n '__fish_seen_subcommand_from keys' -l values -d 'the words that a key takes'
complete -c gearshift -n '__fish_seen_subcommand_from keys' -a '(gearshift keys 2>/dev/null)'
complete -c gearshift -n '__fish_seen_subcommand_from health' -l timeout -x -d 'how long it may take (3s)'
complete -c gearshift -n '__fish_seen_subcommand_from shift' -a '(__gearshift_engines; __gearshift_settings)'
