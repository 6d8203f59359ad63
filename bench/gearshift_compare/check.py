"""Whether a server answers a workload as the files say: status, length and hash."""

import functools
import random

from . import request

SAMPLE = 4            # of the requests of a workload, beside its first, each time
WHOLE_MAX = 16 << 20  # a larger body is hashed to its end once for each server started


class WrongAnswer(Exception):
    """A sentence that names the request and what was wrong with the answer."""


@functools.lru_cache(maxsize=100_000)
def _digest(file, first, length):
    return file.digest(first, length)


def sample(workload, draw):
    """The first request and some others."""
    more = draw.sample(workload.asks, min(SAMPLE, len(workload.asks)))
    return list(dict.fromkeys([workload.asks[0], *more, *workload.extra.get("cold", ())[:1]]))


def validators(server, ask, tls):
    """The field that makes this server say 304: the entity tag that it gave, or else its date."""
    answer = request.ask(server.port_for(tls), ask.target, tls=tls)
    if "etag" in answer.fields:
        return ("If-None-Match: " + answer.fields["etag"],)
    if "last-modified" in answer.fields:
        return ("If-Modified-Since: " + answer.fields["last-modified"],)
    raise WrongAnswer(f"GET {ask.target}: neither ETag nor Last-Modified in the answer")


def check(server, ask, *, fields=(), tls=False, whole=True):
    """Asks once. The octets that one such answer has on the wire. Raises WrongAnswer."""
    where = f"GET {ask.target}"
    body_max = None if whole or ask.length <= WHOLE_MAX else WHOLE_MAX
    try:
        answer = request.ask(server.port_for(tls), ask.target, ask.fields + fields, tls, body_max)
    except OSError as error:
        raise WrongAnswer(f"{where}: {error}") from None
    if answer.status != ask.status:
        raise WrongAnswer(f"{where}: status {answer.status} instead of {ask.status}")
    if ask.status in (200, 206):
        told = int(answer.fields.get("content-length", -1))
        if told not in (-1, ask.length):
            raise WrongAnswer(f"{where}: {told} octets announced instead of {ask.length}")
        length = ask.length if body_max is None else body_max
        if answer.length != length:
            raise WrongAnswer(f"{where}: {answer.length} octets instead of {length}")
        if answer.digest != _digest(ask.file, ask.first, length):
            raise WrongAnswer(f"{where}: the octets are not those of the file")
    return answer.head_size + int(answer.fields.get("content-length", answer.length)
                                  if ask.status != 304 else 0)


def check_workload(server, workload, draw=None, whole=True):
    """Checks some of a workload's requests. The validator fields that its requests need, and the
    octets of the first answer."""
    fields = ()
    if workload.not_modified:
        fields = validators(server, workload.asks[0], workload.tls)
    sizes = [check(server, ask, fields=fields, tls=workload.tls, whole=whole)
             for ask in sample(workload, draw or random.Random(0))]
    return fields, sizes[0]


def check_count(workload, figures, size):
    """The octets that a client counted are those of the answers that it counted, and of no more
    than the ones under way; only where all answers are of one size. Raises WrongAnswer."""
    failed = {name: count for name, count in figures["failed"].items() if count}
    if failed:
        raise WrongAnswer("the client tells of failures: " + ", ".join(
            f"{name} {count}" for name, count in failed.items()))
    requests = figures["requests"]
    expected = requests if workload.asks[0].status >= 400 else 0
    if figures["status_errors"] != expected:
        raise WrongAnswer(f"{abs(figures['status_errors'] - expected)} of {requests} answers had "
                          "a wrong status")
    if workload.client != "wrk" or len(workload.asks) > 1:
        return
    under_way = workload.connections * workload.pipeline
    if not requests * size <= figures["octets"] <= (requests + under_way) * size:
        raise WrongAnswer(f"{requests} answers of {size} octets each came as {figures['octets']} "
                          "octets")
