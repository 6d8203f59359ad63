# The guest's first process, once its root is there: runs the command, tells its exit status, and
# ends the machine. Three ports lead out: output, errors, and what is reported.
b=/run/vm/busybox
port=$(echo /dev/vport*p1)
port=${port%1}
export PATH=@path@ HOME=@home@
$b ifconfig lo up
$b hostname guest
exec 3>"${port}3"
for module in @wanted@; do
    if ! $b modprobe "$module"; then
        echo "no kernel module $module" >"${port}2"
        exec $b reboot -f
    fi
done
# By way of two pipes: a port can be opened only once, and /dev/stdout opens it again.
{
    {
        {
            cd @folder@ && (exec 3>&- 4>&-; @command@)
            echo "status $?" >&3
        } 2>&4 4>&- | $b cat >"${port}1"
    } 4>&1 | $b cat >"${port}2"
} </dev/null
$b sync
exec $b reboot -f
