"""A media archive: listings for people and as JSON, big files in ranges and at a limited rate, links from elsewhere refused."""

import re

from sites import ask

FILES = {
    "index.txt": "read me",
    "video/talk 01.mp4": 3 << 20,
    "video/talk 02.webm": 1 << 20,
    "video/talk 10.webm": 1000,
    "audio/song.opus": "Opus",
    "audio/song.flac": "fLaC",
    "hls/live.m3u8": "#EXTM3U",
    "hls/part1.ts": "G",
    "incoming/partial.tmp": "half",
}

NOT_MIGRATED = ["autoindex_format: differs"]

ASKS = [
    ask("/", 200, "...video/", fields={"Content-Type": re.compile("^text/html")}),
    ask("/video/", 200, "...talk%2001.mp4"),
    ask("/video", 301, fields={"Location": "/video/"}, differs={"caddy": "308: for Caddy a folder has moved so that a form is sent again"}),
    ask("/video/talk%2001.mp4", 200, method="HEAD", fields={"Content-Length": str(3 << 20), "Content-Type": "video/mp4",
                                                          "Accept-Ranges": "bytes"}),
    ask("/video/talk%2001.mp4", 206, sends={"Range": "bytes=3145726-"},
        fields={"Content-Range": f"bytes 3145726-3145727/{3 << 20}"}),
    ask("/video/talk%2001.mp4", 206, sends={"Range": "bytes=-1"}),
    ask("/video/talk%2001.mp4", 416, sends={"Range": f"bytes={3 << 20}-"}),
    ask("/audio/song.opus", 200, "Opus"),
    ask("/audio/song.flac", 403, sends={"Referer": "https://elsewhere.example.net/page"}),
    ask("/audio/song.flac", 200, sends={"Referer": "https://www.example.org/page"}),
    ask("/audio/song.flac", 200, sends={"Referer": "https://friend.example.com/page"}),
    ask("/hls/live.m3u8", 200, "#EXTM3U", fields={"Content-Type": "application/vnd.apple.mpegurl", "Cache-Control": "no-cache",
                                                  "Access-Control-Allow-Origin": "*"}),
    ask("/hls/part1.ts", 200, "G", fields={"Content-Type": "video/mp2t", "Access-Control-Allow-Origin": "*"}),
    ask("/incoming/partial.tmp", 404),
    ask("/json/video/", 200, '..."name"', sends={"Accept": "application/json"},
        fields={"Content-Type": re.compile("^application/json")}),
]
