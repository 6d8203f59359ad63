"""The command: from arguments to pictures and an exit status."""

import os
import signal
import sys
import tempfile
import time

from gearshift_compare import Refusal, combinations, machine, network, processes, servers

from . import arguments, drawing, ftrace, page, probes, sequence, setting, strace, terminal

OK, REFUSED, WRONG, INTERRUPTED = 0, 1, 3, 130
TAKES = 8              # of the same request


def _interrupt(number, frame):
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(argv, binary, site):
    """Runs the command; its exit status."""
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, _interrupt)
    try:
        return _trace(arguments.parse(argv, binary, site), site)
    except Refusal as refusal:
        print(f"gearshift-trace: {refusal}", file=sys.stderr)
        return refusal.status
    except BrokenPipeError:  # whoever reads has enough, and the page is written
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return OK
    except KeyboardInterrupt:
        print("gearshift-trace: interrupted", file=sys.stderr)
        return INTERRUPTED
    finally:
        processes.close_keeper()


def _tool(wanted):
    """The module that records here. Raises Refusal."""
    why = {}
    for name, module in (("ftrace", ftrace), ("strace", strace)):
        if wanted in ("auto", name):
            why[name] = module.refusal()
            if not why[name]:
                return module, why
    raise Refusal("nothing may record here: " + "; ".join(
        f"{name}: {text}" for name, text in why.items()), REFUSED)


def _trace(a, site):
    binary = combinations.Binary(a.gearshift)
    for engine in a.engines:
        if engine not in binary.engines:
            raise Refusal(f"engine {engine}: this gearshift has {', '.join(binary.engines)}")
    if a.tls and not a.config and not binary.tls:
        raise Refusal("--tls: this gearshift has no TLS library built in")
    tool, why = _tool(a.tool)
    if a.config and os.geteuid() == 0:
        try:
            network.enter_namespace(network.congestion_control())
        except OSError:
            pass  # then its addresses have to be free
    notes, drawn = _notes(a, tool, why), []
    with tempfile.TemporaryDirectory(prefix="gearshift-trace-") as folder:
        os.chmod(folder, 0o755)
        if not a.config:
            a.root = a.root or _made(a.size, folder) or site
            if not os.path.isdir(a.root):
                raise Refusal(f"{a.root}: the site of gearshift is not there; name a folder with "
                              "--root, or a --size")
        server_cpus, client_cpus = machine.split_cpus()
        if client_cpus:
            os.sched_setaffinity(0, client_cpus)
        for engine in a.engines:
            try:
                drawn.append(_one(a, engine, tool, folder, server_cpus, _model(binary, engine)))
            except servers.StartFailed as error:
                if error.status != servers.CANNOT_RUN:
                    raise Refusal(f"{engine}: {error}", REFUSED) from None
                notes.append(f"{engine} cannot run here: {error}")
            except OSError as error:  # ssl.SSLError is one
                raise Refusal(f"{engine}: {error}", WRONG) from None
    if not drawn:
        raise Refusal("none of these engines can run here. " + " ".join(notes), REFUSED)
    return _tell(a, drawn, notes)


def _notes(a, tool, why):
    if a.probes and tool is ftrace and not probes.offsets(a.gearshift):
        return ["This gearshift has no probes (gearshift -V tells; packages of Debian have them)."]
    if tool is strace and why.get("ftrace"):
        return [f"ftrace would show times, wake-ups and rings, but: {why['ftrace']}."]
    return []


def _model(binary, engine):
    """The sentence of `gearshift -V` about an engine."""
    for line in binary.info.split("\n"):
        name, _, text = line.strip().partition(" ")
        if name == engine:
            return text.strip()
    return ""


def _made(size, folder):
    """A folder with a file of that size and of yesterday, or None."""
    if size is None:
        return None
    root = os.path.join(folder, "site")
    os.mkdir(root)
    path = os.path.join(root, "file.bin")
    with open(path, "wb") as file:
        while size > 0:
            size -= file.write(os.urandom(min(size, 1 << 20)))
    yesterday = time.time() - 86400
    os.utime(path, (yesterday, yesterday))
    return root


def _one(a, engine, tool, folder, cpus, model):
    """The diagram of one engine."""
    place = setting.Setting(a, engine, folder, cpus)
    try:
        place.start()
        place.warm()
        free = place.free_runs()
        if a.close and place.connection is not None:
            place.connection.close()
            place.connection = None
        threads = place.threads()
        known = setting.descriptors(place.pids(), place.port)
        fd = None if place.connection is None else place.connection.fileno()
        recorder = (ftrace.Recorder(threads, a.gearshift if a.probes else None) if tool is ftrace
                    else strace.Recorder(threads, place.pids(), place))
        with recorder:
            for _ in range(1 if a.cold else TAKES):
                recorder.begin()
                answer = place.once()
                time.sleep(setting.LINGER_S)
                recorder.end()
            alive = place.threads()
            threads = {**threads, **alive}
            known = {**known, **setting.descriptors(place.pids(), place.port)}
        return min((sequence.build(engine, model, recording, known, fd, answer, free,
                                   place.server.process.pid, set(alive))
                    for recording in recorder.readings(threads)), key=_effort)
    finally:
        place.stop()


def _effort(one):
    """Of the same request asked several times that one is drawn which took the least: the others
    have met with a look at the file that is due once a second, or with somebody else's work."""
    return one.figures["calls"], one.figures["in_out_us"] or 0


def _tell(a, drawn, notes):
    asked = _asked(a)
    try:
        with open(a.output, "w", encoding="utf-8") as file:
            file.write(page.render(asked, drawn, notes))
        if a.svg:
            os.makedirs(a.svg, exist_ok=True)
            for one in drawn:
                path = os.path.join(a.svg, f"{one.engine}.svg")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(drawing.standalone(one))
    except OSError as error:
        raise Refusal(f"{error.filename}: {error.strerror}; --output and --svg name what can be "
                      "written", REFUSED) from None
    if not a.quiet:
        print(terminal.render(asked, drawn, notes, a.width))
        print(f"page: {a.output}")
    wrong = [one for one in drawn if one.answer[0] >= 400]
    for one in wrong:
        print(f"gearshift-trace: {one.engine}: the answer was an error, {one.answer[0]}",
              file=sys.stderr)
    return WRONG if wrong else OK


def _asked(a):
    """The request in a line."""
    scheme = "https" if a.tls else "http"
    where = f"{scheme}://{a.host}{f':{a.port}' if a.port else ''}{a.target}"
    if a.size is not None:
        where = f"a file of {a.size} bytes" + (" over TLS" if a.tls else "")
    how = "on a connection of its own" if a.close else "on a kept connection"
    heat = "not asked for before, and not in the page cache" if a.cold else "asked for before"
    return f"GET {where}, {how}, {heat}"
