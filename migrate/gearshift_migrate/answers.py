"""answers.py: return, rewrite and `if`: answers without a file, and other paths for what is asked for.

What nginx works off as a small program becomes locations and tries: a rewrite is a location of its regular
expression, that returns or tries another path. What is decided by something else than the path, the host or the
scheme is told.
"""

import re
from urllib.parse import quote

from . import values
from .admission import is_guarded_by_itself, referers, translate_admission
from .location import find, place_of, text_of
from .server_conf import quoted, single

REDIRECTS = ("301", "302", "303", "307", "308")
ALL = ("^", ".*", "^.*", "^.*$", "^(.*)$", "^/(.*)$", "^/.*$", "(.*)", "^(.*)", "^/(.*)", "/(.*)", "^/?(.*)$")
REFUSALS = ("401", "403", "404", "410", "444")
HOSTS = ("$host", "$http_host", "$server_name", "$request_method", "$scheme")
OWN_HOSTS = ("host", "server_name", "http_host", "hostname", "server_addr")


def return_parts(args):
    """(status, text or URL) of a `return` with arguments: a URL alone is a 302."""
    return (args[0], " ".join(args[1:])) if args[0].isdigit() else ("302", args[0])


def return_text(directive, context, default="text/html"):
    """(the value of `return`, that of return_type or None); None, None: it cannot be said."""
    if not directive.args:
        return None, None
    status, text = return_parts(directive.args)
    text = text.replace("\\", "\\\\").replace("\r\n", "\n").replace("\n", "\\n")
    if any(c < " " for c in text):
        context.notes.unsaid(directive, "a control character in a text; 404 here")
        return None, None
    if status in REDIRECTS or text.startswith(("http://", "https://", "$scheme://")):
        text = url_of(text)
    if status in REDIRECTS and leads_anywhere(text):
        context.notes.unsaid(directive, f"{text}: who asks would choose the host that it leads to; 404 here")
        return None, None
    text, unknown = context.variables(text)
    if unknown:
        context.notes.unsaid(directive, f"there is no ${unknown[0]}")
        return None, None
    kind = default if text and status not in REDIRECTS else None
    return f"{status} {text}".strip(), kind


def leads_anywhere(url):
    """Is the host of a URL what a client says?"""
    match = re.match(r"(?:https?://|\$scheme://)?\$\{?(\w+)", url)
    return match is not None and not match[0].startswith("$scheme") and match[1] not in OWN_HOSTS and \
        (match[0].startswith("http") or re.match(r"arg_|http_|cookie_|args$|query_string$|\d$", match[1]) is not None)


def url_of(text):
    """$uri$is_args$args, and the path with $request_uri, in our words."""
    text = "".join(c if "!" <= c <= "~" else quote(c, errors="surrogateescape") for c in text.strip())
    text = "$scheme:" + text if text.startswith("//") else text
    text = re.sub(r"\$uri\$is_args\$(?:args|query_string)\b", "$request_uri", text)
    return re.sub(r"\$is_args\$(args|query_string)\b", "?$args", text)


def write_return(directive, out, context, kind=None):
    """`return` into a block. False: it cannot be said."""
    value, type_ = return_text(directive, context, kind or "application/octet-stream")
    if value is None:
        out.set("return", quoted("404"))
        return False
    out.set("return", quoted(value))
    if type_ is not None and type_ != "text/plain":
        out.text("return_type", type_)
    return True


def write_rewrite(directive, location, out, context):
    """A rewrite of a server (location: None) or of a location, as a location of its own in the server's block."""
    if len(directive.args) < 2:
        return
    regex, target = directive.args[0], directive.args[1]
    flag = directive.args[2] if len(directive.args) > 2 else ""
    outside = target.startswith(("http://", "https://", "$scheme"))
    ours, unknown = context.variables(url_of(target))
    if unknown:
        context.notes.unsaid(directive, f"there is no ${unknown[0]}")
        return
    pattern = regex
    if location is not None and location.kind in ("", "^~") and location.path != "/":
        pattern = values.regex_below(location.path, regex)
    elif location is not None and location.kind == "=":
        pattern = "^" + re.escape(location.path) + "$"
    elif location is not None and location.is_regex:
        if regex not in ALL:
            context.notes.unsaid(directive, "a rewrite within a location of a regular expression")
            return
        pattern = location.regex()
    head = pattern_head(pattern, location)
    inner = out.block(head)
    if outside or flag in ("permanent", "redirect"):
        status = "301" if flag == "permanent" else "302"
        inner.set("return", quoted(f"{status} {with_query(ours)}"))
        return
    path, _, query = target.partition("?")
    path = context.variables(path)[0]
    if query and not query.startswith("$"):
        context.notes.differs(directive, f"?{query}: what it leads to is a file, which has no query")
    inner.list("try", [path if path.startswith(("/", "$uri")) else "/" + path])
    judge(directive, target.partition("?")[0], location if flag == "break" else None, inner, context)


def judge(directive, target, location, inner, context):
    """Who may have what a rewrite leads to: as in the location of its target, or, after break, in that of the rewrite. Where that
    hangs on the request, and some location is guarded, nobody."""
    if location is None:
        literal = target.partition("$")[0]
        location = find(context.locations, literal)
        if literal != target:
            unsure = [x for x in context.locations if x is not location and is_guarded_by_itself(x) and
                      (x.is_regex or x.path.startswith(literal))]
            if unsure:
                context.notes.unsaid(directive, f"it may lead to what {unsure[0].directive.place} guards: it is closed (deny = \"all\")")
                inner.set("deny", '"all"')
                return
    if location is not None and is_guarded_by_itself(location):
        translate_admission(place_of(location, context.place), context, inner)
        if any(d.name == "valid_referers" for block in location.chain for d in block):
            referers(place_of(location, context.place), context, inner)


def with_query(url):
    """What nginx appends to the URL of a rewrite: the query, but behind a `?` at its end."""
    if url.endswith("?"):
        return url[:-1]
    return url + ("&" if "?" in url else "?") + "$args"


def pattern_head(pattern, location=None):
    if pattern in ALL and location is None:
        return 'location "/"'
    path = text_of(pattern)
    if path is not None:
        return f"location = {quoted(path)}"
    kind = "~*" if location is not None and location.kind == "~*" and pattern == location.path else "~"
    return f"location {kind} {single(pattern)}"


# --- if ---

class Condition:
    """`if (A OP B)`, or `if (A)`."""

    def __init__(self, directive):
        text = " ".join(directive.args).strip()
        text = text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text
        self.directive = directive
        match = re.fullmatch(r"(\S+?)\s*(!=|=|!~\*|!~|~\*|~)\s*(.*)", text, re.DOTALL)
        file = re.fullmatch(r"(!?-[fdex])\s+(.*)", text)
        if file is not None:
            self.left, self.operator, self.right = file[2], file[1], ""
        elif match is not None and match[1].startswith("$"):
            self.left, self.operator, self.right = match[1], match[2], match[3].strip()
        else:
            self.left, self.operator, self.right = text, "", ""

    def action(self, *names):
        """The first directive inside, if all are of these names (and break, which changes nothing)."""
        acts = [d for d in self.directive.block if d.name != "break"]
        return acts[0] if len(acts) == 1 and acts[0].name in names else None


def plain_names(condition):
    """The hosts of `$host = name` and of `$host ~ ^name$`; None: it is no such condition."""
    if condition.left not in ("$host", "$http_host", "$server_name"):
        return None
    if condition.operator == "=":
        return [condition.right.strip('"')]
    match = re.fullmatch(r"\^((?:[\w-]+\\?\.)+\w+)\$?", condition.right)
    if condition.operator in ("~", "~*") and match:
        return [match[1].replace("\\", "")]
    match = re.fullmatch(r"\^www\\?\.(?:\(\.[*+]\))?\$?", condition.right)
    if condition.operator in ("~", "~*") and match:
        return ["www."]
    return None


def without_www(directive, names):
    """`if ($host ~ ^www\\.(.*)) { set $h $1; rewrite ^(.*)$ https://$h$1 permanent; }` as a return."""
    acts = [d for d in directive.block if d.name not in ("set", "break")]
    bare = next((n[4:] for n in names if n.lower().startswith("www.")), None)
    if len(acts) != 1 or bare is None or acts[0].name not in ("return", "rewrite"):
        return None
    act = acts[0]
    target = act.args[1] if len(act.args) > 1 else ""
    if not target.startswith(("http://$", "https://$", "$scheme://$")):
        return None
    status = act.args[0] if act.name == "return" else "301" if "permanent" in act.args else "302"
    return type(act)("return", [status, target.partition("://")[0] + "://" + bare + "$request_uri"], act.file, act.line)


def translate_condition(directive, location, place, out, context):
    """One `if` that is not about host or scheme. Returns the blocks that it adds to the server: none."""
    condition = Condition(directive)
    act = condition.action("return", "rewrite")
    left, operator, right = condition.left, condition.operator, condition.right
    if left == "$request_method" and act is not None and act.name == "return":
        return  # GET, HEAD and OPTIONS alone are answered
    if left == "$invalid_referer" and (not operator or (operator, right.strip("'\"")) == ("=", "1")) and act is not None and act.args[:1] in (["403"], ["404"], ["444"]):
        return  # referers: translate_server has asked for it
    if left in ("$request_filename", "$document_root$uri", "$document_root$fastcgi_script_name",
                "$document_root$request_uri", "$uri") and operator in ("!-e", "!-f", "!-d"):
        if act is not None and act.name == "rewrite" and if_missing(act, place, out):
            return
        if act is not None and act.name == "return" and act.args[0] == "404":
            return
    match = re.fullmatch(r"\$(?:request_filename|document_root\$uri)(\.\w+)", left)
    if match and operator in ("-f", "-e"):
        prepend_try(place, out, "$uri" + match[1])
        return
    if left in ("$uri", "$request_uri", "$document_uri") and operator in ("~", "~*", "=") and act is not None:
        by_path(condition, act, location, out, context)
        return
    shown = f"({' '.join(directive.args).strip('() ')})"
    lets_few = operator in ("!=", "!~", "!~*") or (operator == "=" and right.strip("'\"") == "")
    if lets_few and act is not None and act.name == "return" and act.args[0] in REFUSALS and left not in HOSTS:
        context.notes.unsaid(directive, f"{shown}: path, host and scheme decide, and no other condition: what it guards is closed "
                                        "(deny = \"all\")")
        out.set("deny", '"all"')
        return
    context.notes.unsaid(directive, f"{shown}: path, host and scheme decide, and no other condition")


def if_missing(act, place, out):
    """`if (!-e $request_filename) { rewrite ^ /index.html last; }`: a try."""
    regex, target = act.args[0], act.args[1].partition("?")[0]
    if len(act.args) > 2 and act.args[2] in ("permanent", "redirect"):
        return False
    if regex in ALL and target.startswith("/") and not values.has_variables(target):
        if re.search(r"\.(php|cgi|pl)\b", target):
            return False
        out.list("try", ["$uri", "$uri/", target])
        return True
    match = re.fullmatch(r"(?:/?\$1|\$uri)(\.html|/index\.html)", target)
    if regex in ALL and match:
        prepend_try(place, out, "$uri" + match[1])
        return True
    return False


def prepend_try(place, out, item):
    out.list("try", ["$uri", item, "$uri/"])


def by_path(condition, act, location, out, context):
    """`if ($request_uri ~ ^/(.+)\\.html$) { return 301 /$1; }`: a location."""
    regex = condition.right.strip('"')
    if condition.operator == "=":
        regex = "^" + "".join("\\" + c if c in r"\.?*+()[]{}^$|" else c for c in regex) + "$"
    query = re.search(r"\(\\\?(?:\.\*)?\)\?\$?$|\(\?:\\\?\.\*\)\?\$?$|\(\?:\\\?\|\$\)$|\(\$\|\\\?\)$|\(\\\?\|\$\)$|\\\?$", regex)
    head = regex[:query.start()] if query else regex
    if "\\?" in head:
        context.notes.unsaid(condition.directive, "a path is compared without its query")
        return
    if query:
        regex = head + "$"
    groups = re.compile(re.sub(r"\(\?<", "(?P<", head)).groups if is_regex(head) else 0
    pattern = regex
    if location is not None and location.kind in ("", "^~") and location.path != "/":
        pattern = values.regex_below(location.path, regex)
    kind = "~*" if condition.operator == "~*" else "~"
    path = text_of(pattern) if kind == "~" else None
    inner_head = f"location = {quoted(path)}" if path else f"location {kind} {single(pattern)}"
    if act.name == "return":
        args = list(act.args)
        if query and len(args) > 1:  # the group that holds the query is $args here
            args[1] = re.sub(rf"\$(?:{groups + 1})\b", "?$args", args[1])
        changed = type(act)(act.name, args, act.file, act.line)
        if not write_return(changed, out.block(inner_head), context):
            out.parts.pop()
        return
    target, flag = act.args[1], act.args[2] if len(act.args) > 2 else ""
    ours, unknown = context.variables(target)
    if unknown or (flag not in ("permanent", "redirect") and not target.startswith("http")):
        context.notes.unsaid(condition.directive, "a rewrite on condition")
        return
    out.block(inner_head).set("return", quoted(f"{'301' if flag == 'permanent' else '302'} {with_query(ours)}"))


def is_regex(text):
    try:
        re.compile(re.sub(r"\(\?<", "(?P<", text))
        return True
    except re.error:
        return False
