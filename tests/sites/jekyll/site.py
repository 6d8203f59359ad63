"""Jekyll behind a path of a larger site (alias), old names of posts by a map, and a folder that only some may see."""

from sites import ask

FILES = {
    "index.html": "company",
}
BESIDE = {
    "blog/index.html": "blog",
    "blog/2024/05/a-post.html": "post",
    "blog/feed.xml": "<feed/>",
    "blog/drafts/next.html": "draft",
    "blog/css/main.css": "h1{}",
}

ASKS = [
    ask("/", 200, "company"),
    ask("/blog/", 200, "blog"),
    ask("/blog", 301, fields={"Location": "/blog/"}),
    ask("/blog/2024/05/a-post.html", 200, "post"),
    ask("/blog/css/main.css", 200, "h1{}"),
    ask("/blog/?p=12", 301, fields={"Location": "/blog/2024/05/a-post.html"}),
    ask("/blog/?p=99", 200, "blog"),
    ask("/old-post", 301, fields={"Location": "/blog/2024/05/a-post.html"}),
    ask("/OLD-post", 404, differs={"nginx": "301: a map of nginx ignores case, and paths do not"}),
    ask("/blog/drafts/next.html", 403),
    ask("/blog/none", 404),
]
