"""nginx_directives.py: every directive of nginx's modules that a static site can have, and what becomes of it.

The one table behind translate*.py (what is not SAID there is told as it stands here) and the table of docs/migrating.md,
which a test compares with it.
"""

SAID = "said"        # another setting says it: translate*.py writes that
NEEDLESS = "needless"  # nothing has to be said: gearshift does so, or has no use for it
UNSAID = "unsaid"    # cannot be said: it is told to whoever migrates


def _rows(module, text):
    """One directive a line: name | kind | what becomes of it."""
    rows = {}
    for line in text.strip().splitlines():
        name, kind, told = (part.strip() for part in line.split("|", 2))
        assert kind in (SAID, NEEDLESS, UNSAID), line
        rows[name] = (module, kind, told)
    return rows


CORE = _rows("core", """
user | said | `user`
worker_processes | said | `processes`; `auto`: `engine = multi-reactor`, a loop for each CPU
worker_connections | said | `connections_max`
worker_rlimit_nofile | needless | the limit is raised at the start to what the configuration needs
worker_cpu_affinity | needless | `pin = on` binds threads to CPUs
worker_priority | unsaid | by systemd: `Nice=`
worker_shutdown_timeout | said | `drain_timeout`
worker_aio_requests | needless | bounded by `worker_queue`
pid | said | `pid_file`
error_log | said | `error_log`, `log_level`
daemon | needless | gearshift stays in the foreground: systemd, or a shell's `&`
master_process | needless | `processes = 0` is off
events | said | its settings are those of the top level
use | said | `demultiplexer`, for engines of readiness
multi_accept | needless | every engine takes all that wait
accept_mutex | needless | `accept` says who takes a connection
accept_mutex_delay | needless | there is no mutex
debug_connection | unsaid | `log_level = debug` is for all
debug_points | needless | a failed assertion ends the process always
include | said | read, and written into one file
load_module | needless | what a module does is told where it is asked for
lock_file | needless | there is no mutex
pcre_jit | needless | on where PCRE2 has it
ssl_engine | unsaid | no engines of OpenSSL
thread_pool | needless | `workers`, `file_workers`
timer_resolution | needless | the time is taken once a turn
working_directory | needless | paths are absolute
env | needless | nothing of the environment is removed
stream | unsaid | HTTP alone
mail | unsaid | HTTP alone
rtmp | unsaid | HTTP alone; its HLS pieces are files
http | said | its settings are those of each server
""")

HTTP = _rows("http core", """
server | said | `server`
listen | said | `listen`; `ssl` is `tls`; a port alone is IPv4 in nginx, and both here; no `http2`, no `quic`
server_name | said | the title and `alias_hosts`; `~^(.+)\.name$` is `*.name`; other regular expressions are not there
location | said | `location`; those inside others are written out, `@name` is looked into by `try_files`
root | said | `root`
alias | said | `alias`
index | said | `index` (of the module index)
try_files | said | `try`; what follows the last is 404
error_page | said | `error_pages`; `404 = /index.html` is `try`
internal | said | `internal = on`
types | said | `types`; `include mime.types` is needless: the machine's /etc/mime.types and a table of our own
default_type | said | `default_type`
keepalive_timeout | said | `keepalive_timeout`
keepalive_requests | said | `keepalive_requests`
keepalive_time | needless | `keepalive_requests`
keepalive_min_timeout | needless | a draining server answers what has come
keepalive_disable | needless | only for browsers of 2005
client_header_timeout | said | `header_timeout`
client_body_timeout | said | `body_timeout`
client_max_body_size | said | `body_max`: what it is for here is to read and forget a body
client_header_buffer_size | needless | memory is taken as needed up to `header_max`
large_client_header_buffers | needless | `request_line_max`, `header_field_max`, `header_max`, with the same sizes
client_body_buffer_size | needless | bodies are read and left
client_body_temp_path | needless | bodies are not kept
client_body_in_file_only | needless | bodies are not kept
client_body_in_single_buffer | needless | bodies are not kept
send_timeout | said | `send_timeout`
lingering_close | needless | always, as long as `linger_timeout`
lingering_time | needless | `linger_timeout`
lingering_timeout | said | `linger_timeout`
reset_timedout_connection | needless | as every engine does at a deadline
sendfile | needless | `file_io = auto` is sendfile(2)
sendfile_max_chunk | said | `send_turn`
tcp_nopush | needless | a header and the start of its file leave together
tcp_nodelay | needless | always
aio | needless | `engine = proactor`, or `file_jobs`
aio_write | needless | nothing is written
directio | needless | `file_jobs = linux-aio`
directio_alignment | needless | found out
read_ahead | needless | posix_fadvise is used
output_buffers | needless | by engine
postpone_output | needless | answers of one turn leave together
send_lowat | needless | of FreeBSD
open_file_cache | needless | on: `cache_files`
open_file_cache_valid | said | `cache_valid`
open_file_cache_min_uses | needless | one use is enough
open_file_cache_errors | needless | for `cache_valid`
disable_symlinks | said | `symlinks`
etag | said | `etag`; tags are of another form: clients ask once more after the move
if_modified_since | said | `if_modified_since`
max_ranges | said | `ranges_max`
limit_rate | said | `limit_rate`
limit_rate_after | said | `limit_rate_after`
limit_except | needless | GET, HEAD and OPTIONS are all that is answered
satisfy | said | `satisfy`
merge_slashes | needless | always
absolute_redirect | needless | redirects are relative, unless they name a host
port_in_redirect | needless | redirects are relative
server_name_in_redirect | needless | redirects are relative
server_tokens | needless | no version is told; `server_header = off` takes the field away
server_names_hash_max_size | needless | hashed, of any size
server_names_hash_bucket_size | needless | hashed, of any size
types_hash_max_size | needless | hashed, of any size
types_hash_bucket_size | needless | hashed, of any size
variables_hash_max_size | needless | known when the configuration is read
variables_hash_bucket_size | needless | known when the configuration is read
ignore_invalid_headers | needless | invalid fields are refused (400)
underscores_in_headers | needless | they are taken
log_not_found | needless | the error log tells faults, not what is missing
log_subrequest | needless | there are no subrequests
recursive_error_pages | needless | a page of an error has no page of an error
chunked_transfer_encoding | needless | what has no length in advance is chunked, to HTTP/1.1
connection_pool_size | needless | pools are sized by limits
request_pool_size | needless | pools are sized by limits
msie_padding | needless | of 2001
msie_refresh | needless | of 2001
resolver | needless | no names are looked up while serving
resolver_timeout | needless | no names are looked up while serving
subrequest_output_buffer_size | needless | there are no subrequests
auth_delay | needless | a wrong password costs the time of its hash, and `auth_verifications_max` at a time
max_headers | said | `header_count_max`
early_hints | needless | of proxies; `early_hints` here names Link fields
""")

MODULES = {}
for _module, _text in {
    "headers": """
add_header | said | `headers`, which add up over server and location where nginx replaces them: `"Name:"` removes one; Cache-Control without `always`: `cache`, since an error is not to be kept
add_trailer | unsaid | no trailers
expires | said | `cache` with `expires` or `control`; by a map of the type, too
more_set_headers | said | `headers`
more_clear_headers | said | `headers` with `"Name:"`
""",
    "rewrite": """
return | said | `return`, `return_type`
rewrite | said | `location ~` with `return`, or with `try`
if | said | hosts, schemes, methods, missing files, paths, referers; a file in the root that stops all (`maintenance`); redirects of a server by a query, cookie, field or address, by a `map` and `return`; nothing else
set | unsaid | no variables of one's own
break | needless | a rewrite goes on with files
rewrite_log | needless | `gearshift explain URL`
uninitialized_variable_warn | needless | unknown variables are refused
""",
    "access": """
allow | said | `allow`: the smallest network decides, not the first line
deny | said | `deny`
""",
    "auth_basic": """
auth_basic | said | `auth`
auth_basic_user_file | said | `users` of `auth`; hashes by crypt(3), no DES, no plain text
""",
    "auth_request": """
auth_request | unsaid | nobody else is asked
auth_request_set | unsaid | nobody else is asked
""",
    "limit_req, limit_conn": """
limit_req_zone | said | its rate and key
limit_req | said | `limit_requests`, `limit_requests_server`; 429 where nginx says 503
limit_req_status | needless | 429 by client, 503 for all, with Retry-After
limit_req_log_level | needless | told once in a while, with their number
limit_req_dry_run | unsaid | the status page counts
limit_conn_zone | said | its key
limit_conn | said | `limit_connections`, for the whole server, idle connections too
limit_conn_status | needless | one connection more is closed
limit_conn_log_level | needless | told once in a while, with their number
limit_conn_dry_run | unsaid | the status page counts
limit_zone | unsaid | of nginx 0.x
""",
    "autoindex": """
autoindex | said | `autoindex`
autoindex_exact_size | needless | sizes for people, exact ones in JSON
autoindex_format | needless | JSON is given to who asks for it (Accept, or `?format=json`)
autoindex_localtime | needless | a script shows the reader's own time
random_index | unsaid | no page by chance
fancyindex | said | `autoindex`
""",
    "gzip, gunzip": """
gzip | said | `compress`
gzip_types | said | `compress_types`
gzip_min_length | said | `compress_min`
gzip_comp_level | needless | compressed once and kept: levels are fixed
gzip_vary | needless | always
gzip_proxied | needless | as for everybody
gzip_http_version | needless | as Accept-Encoding says
gzip_disable | needless | as Accept-Encoding says
gzip_buffers | needless | bounded by `compress_cache`
gzip_static | said | `precompressed`
gunzip | needless | what is there compressed alone is decompressed for who cannot: `decompress_max`
gunzip_buffers | needless | bounded
brotli | said | `compress`
brotli_static | said | `precompressed`
brotli_types | said | `compress_types`
brotli_comp_level | needless | compressed once and kept
brotli_min_length | said | `compress_min`
zstd | said | `compress`
zstd_static | said | `precompressed`
zstd_types | said | `compress_types`
zstd_comp_level | needless | compressed once and kept
zstd_min_length | said | `compress_min`
""",
    "map, geo, split_clients": """
map | said | `map`; of paths that have moved a `location` for each, of media types `cache`, of statuses in a log `access_log_status`
map_hash_max_size | needless | hashed, of any size: `map_entries_max`
map_hash_bucket_size | needless | hashed, of any size
geo | unsaid | addresses decide in `allow` and `deny`
split_clients | unsaid | a static site is the same for all
geoip_country | unsaid | no countries
geoip_city | unsaid | no cities
""",
    "charset": """
charset | said | `charset`: utf-8 by default
charset_types | said | `charset_types`
source_charset | needless | nothing is recoded
override_charset | needless | nothing is recoded
charset_map | unsaid | nothing is recoded
""",
    "log": """
access_log | said | `access_log`, one for a server; `off` for a place is `access_log_skip`
log_format | said | `access_log_format`; maps, `$arg_NAME` and `$cookie_NAME` in it, too
open_log_file_cache | needless | logs stay open
""",
    "realip": """
set_real_ip_from | said | `real_ip_from`, or `trusted`
real_ip_header | said | `real_ip_header`; `proxy_protocol` is `trusted`; those of CDNs are X-Forwarded-For, to which they append the same address
real_ip_recursive | said | `real_ip_recursive`
""",
    "referer": """
valid_referers | said | `referers`, expressions too (`~*`)
referer_hash_max_size | needless | any size
referer_hash_bucket_size | needless | any size
""",
    "secure_link": """
secure_link | unsaid | `signed` has HMAC-SHA256, with links that have to be made anew: what it guards is closed
secure_link_md5 | unsaid | as secure_link
secure_link_secret | unsaid | as secure_link
""",
    "ssl": """
ssl | said | `tls` behind an address of `listen`
ssl_certificate | said | `certificate`
ssl_certificate_key | said | `key`
ssl_protocols | said | `tls_protocols`
ssl_ciphers | said | `tls_ciphers`, by IANA's names; what is chosen by words, such as HIGH, is the default
ssl_prefer_server_ciphers | needless | the server's order
ssl_ecdh_curve | said | `tls_curves`
ssl_dhparam | needless | no finite-field DHE
ssl_session_cache | said | `tls_session_cache`
ssl_session_timeout | needless | `tls_ticket_key_lifetime`
ssl_session_tickets | said | `tls_session_tickets`
ssl_session_ticket_key | needless | keys are made, shared by all workers, and renewed
ssl_client_certificate | said | `tls_client_ca`
ssl_trusted_certificate | needless | `ocsp` is a file
ssl_verify_client | said | `tls_verify`
ssl_verify_depth | said | `tls_verify_depth`
ssl_crl | said | `tls_crl`
ssl_stapling | unsaid | the server asks nobody: `ocsp`, a file that certbot or a timer renews
ssl_stapling_file | said | `ocsp`
ssl_stapling_responder | unsaid | no requests are made
ssl_stapling_verify | needless | the client verifies
ssl_early_data | needless | off
ssl_buffer_size | needless | by what is sent
ssl_password_file | unsaid | keys without a password
ssl_reject_handshake | unsaid | a server without a certificate is none
ssl_conf_command | unsaid | no commands of OpenSSL
ssl_handshake_timeout | said | `tls_handshake_timeout`
""",
    "http2, http3": """
http2 | unsaid | HTTP/1.1 alone
http3 | unsaid | HTTP/1.1 alone
http2_max_concurrent_streams | unsaid | HTTP/1.1 alone
http2_push | unsaid | HTTP/1.1 alone
http2_push_preload | unsaid | HTTP/1.1 alone
quic_retry | unsaid | HTTP/1.1 alone
""",
    "other modules of static sites": """
stub_status | said | `status_page`, `status_allow`
empty_gif | unsaid | a file of 43 bytes
mp4 | unsaid | players ask for ranges
flv | unsaid | players ask for ranges
mp4_buffer_size | unsaid | players ask for ranges
mp4_max_buffer_size | unsaid | players ask for ranges
sub_filter | unsaid | files are sent as they are
sub_filter_once | unsaid | files are sent as they are
sub_filter_types | unsaid | files are sent as they are
addition_types | unsaid | files are sent as they are
add_before_body | unsaid | files are sent as they are
add_after_body | unsaid | files are sent as they are
ssi | unsaid | files are sent as they are
slice | needless | ranges are read as they are asked for
mirror | unsaid | nobody else is asked
image_filter | unsaid | files are sent as they are
xslt_stylesheet | unsaid | files are sent as they are
dav_methods | unsaid | nothing is written
userid | unsaid | no cookies are set
userid_name | unsaid | no cookies are set
modern_browser | unsaid | a static site is the same for all
ancient_browser | unsaid | a static site is the same for all
""",
    "proxies and scripts": """
proxy_pass | unsaid | not proxied: nginx, Caddy or HAProxy in front, which hands the rest to gearshift
fastcgi_pass | unsaid | no scripts
uwsgi_pass | unsaid | no scripts
scgi_pass | unsaid | no scripts
grpc_pass | unsaid | not proxied
memcached_pass | unsaid | not proxied
upstream | unsaid | not proxied
perl | unsaid | no scripts
js_content | unsaid | no scripts
""",
}.items():
    MODULES.update(_rows(_module, _text))

ALL = {**CORE, **HTTP, **MODULES}

# What only says how a proxy or a script is reached.
OF_PROXIES = ("proxy_", "fastcgi_", "uwsgi_", "scgi_", "grpc_", "memcached_", "perl_", "js_")


def is_known(name):
    return name in ALL


def find(name):
    """(module, kind, text) of a directive; of one that nobody knows, a word to that effect."""
    row = ALL.get(name)
    if row is None and name.startswith(OF_PROXIES):
        return ("proxies and scripts", NEEDLESS, "says how another server is reached")
    return row or ("unknown", UNSAID, "unknown to gearshift-migrate")


def table():
    """The Markdown of all of it."""
    lines, module = [], None
    for name, (of, kind, text) in ALL.items():
        if of != module:
            module = of
            lines += ["", f"### nginx: {module}", "", "| nginx | gearshift |", "|---|---|"]
        lead = {SAID: "", NEEDLESS: "needless: ", UNSAID: "**not there**: "}[kind]
        lines.append(f"| `{name}` | {lead}{text} |")
    return "\n".join(lines).strip() + "\n"
