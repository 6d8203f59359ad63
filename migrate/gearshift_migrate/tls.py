"""tls.py: ssl_* of the process, and of a server."""

IANA = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
OF_1_3 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
CURVES = {"prime256v1": "secp256r1", "X25519": "x25519", "P-256": "secp256r1", "P-384": "secp384r1",
          "P-521": "secp521r1", "X448": "x448", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
VERIFY = {"on": "require", "optional": "optional", "off": "off"}


def once(scopes, out, notes):
    """What all servers with a certificate have alike."""
    scopes = [scope for scope in scopes if scope.one("ssl_certificate") is not None]

    def first(name):
        return next((d for d in (scope.one(name) for scope in scopes) if d is not None), None)

    versions = ["1.2", "1.3"]
    protocols = first("ssl_protocols")
    if protocols is not None:
        versions = [p.removeprefix("TLSv") for p in protocols.args if p in ("TLSv1.2", "TLSv1.3")]
        old = [p for p in protocols.args if p not in ("TLSv1.2", "TLSv1.3")]
        if old:
            notes.unsaid(protocols, f"{', '.join(old)}: there is nothing below TLSv1.2")
        if versions and sorted(versions) != ["1.2", "1.3"]:
            out.list("tls_protocols", versions)
    ciphers = first("ssl_ciphers")
    if ciphers is not None:
        suites(ciphers, versions, out, notes)
    curve = first("ssl_ecdh_curve")
    if curve is not None and curve.args[0] != "auto":
        ours = [CURVES.get(name, name.lower()) for name in curve.args[0].split(":")]
        out.list("tls_curves", ours)
    tickets = first("ssl_session_tickets")
    if tickets is not None and tickets.args[0] == "off":
        out.set("tls_session_tickets", "off")
    cache = first("ssl_session_cache")
    if cache is not None and cache.args[0] in ("off", "none"):
        out.set("tls_session_cache", "0")


def suites(directive, versions, out, notes):
    """A list of suites by name is taken over; what is chosen by words is left to the library, which has no others
    than those with forward secrecy and authenticated encryption."""
    names = [name for name in directive.args[0].replace(",", ":").split(":") if name]
    ours = [IANA[name] for name in names if name in IANA]
    if not ours or any(not name.isupper() or "-" not in name for name in names if name not in OF_1_3):
        return
    if len(ours) == len(IANA):
        return  # all that there are: the default
    left = [name for name in names if name not in IANA and name not in OF_1_3]
    if left:
        notes.differs(directive, f"{', '.join(left)}: not among the suites, which all have forward secrecy and "
                                 "authenticated encryption")
    out.list("tls_ciphers", (OF_1_3 if "1.3" in versions else []) + (ours if "1.2" in versions else []))


def server(place, out, notes):
    """Certificates of a server with an address with TLS."""
    certificates, keys = place.all("ssl_certificate"), place.all("ssl_certificate_key")
    for directive in certificates + keys:
        if "$" in directive.args[0] or directive.args[0].startswith(("data:", "engine:", "store:")):
            notes.unsaid(directive, "certificates lie in files; many of them, by name, in tls_certificates = DIR")
            return
    if certificates:
        out.list("certificate", [d.args[0] for d in certificates])
        if keys and [d.args[0] for d in keys] != [d.args[0] for d in certificates]:
            out.list("key", [d.args[0] for d in keys])
    staple = place.last("ssl_stapling_file")
    if staple is not None:
        out.list("ocsp", [staple.args[0]])
    elif place.last("ssl_stapling") is not None and place.last("ssl_stapling").args[0] == "on":
        notes.unsaid(place.last("ssl_stapling"), "the server asks nobody: a response in a file is stapled, see `ocsp`")
    clients = place.last("ssl_client_certificate")
    verify = place.last("ssl_verify_client")
    if clients is None or verify is None or verify.args[0] == "off":
        return
    out.path("tls_client_ca", clients.args[0])
    if verify.args[0] == "optional_no_ca":
        notes.differs(verify, "optional_no_ca: optional, and whoever brings a certificate has one of `tls_client_ca`")
    if verify.args[0] != "on":
        out.set("tls_verify", "optional")
    depth = place.last("ssl_verify_depth")
    if depth is not None and depth.args[0].isdigit():
        out.set("tls_verify_depth", str(min(int(depth.args[0]), 8)))
    if place.last("ssl_crl") is not None:
        out.path("tls_crl", place.last("ssl_crl").args[0])
