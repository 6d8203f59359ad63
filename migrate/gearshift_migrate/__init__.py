"""gearshift-migrate: an nginx configuration of a static site, said again in server.conf.

nginx_text reads the text, nginx_tree resolves includes, names which directives hold where (inheritance);
translate* say them again; server_conf writes the result. What cannot be said is a Note, which the
result carries as a comment beside the place, and which is listed at the end.
"""
