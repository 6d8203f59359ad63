"""One file in all the forms in which it is answered."""


def forms(server, target):
    """The answers in which the fields must be: 200, HEAD, 304, 206, multipart."""
    whole = server.get(target)
    assert whole.status == 200, whole
    yield whole
    yield server.head(target)
    for fields, status in (([f"If-None-Match: {whole['ETag']}"], 304), (["Range: bytes=0-0"], 206),
                           (["Range: bytes=0-0,5-5"], 206)):
        answer = server.get(target, *fields)
        assert answer.status == status
        yield answer
