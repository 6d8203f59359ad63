"""Downloads of firmware: open to read about, with names and passwords to download, offered as files to keep, no listings."""

from sites import ask

# alice's password is wonderland
FILES = {
    "index.html": "firmware",
    "images/router-1.2.bin": b"\x7fELF",
    "images/SHA256SUMS": "0a1b  router-1.2.bin\n",
    "notes/1.2.txt": "faster",
}
BESIDE = {
    "htpasswd": "alice:$6$saltsalt$pqxtaP8VN9msji06dnBCbUbaSGTOXyo9jZDqZxik1rPexoqR"
                "IW4UKuiD0ZHZchCSd7S4/HoRU8bcFbnz2ihUr.\n"
                "# a comment\n",
}

ALICE = {"Authorization": "Basic YWxpY2U6d29uZGVybGFuZA=="}

ASKS = [
    ask("/", 200, "firmware"),
    ask("/notes/1.2.txt", 200, "faster"),
    ask("/images/router-1.2.bin", 401, fields={"WWW-Authenticate": 'Basic realm="Firmware"'},
        differs={"gearshift": "charset=\"UTF-8\" is added, as RFC 7617 has it", "migrated": "charset=\"UTF-8\" is added, as RFC 7617 has it"}),
    ask("/images/router-1.2.bin", 200, sends=ALICE, fields={"Content-Disposition": "attachment"}),
    ask("/images/router-1.2.bin", 206, "\x7fE", sends={"Range": "bytes=0-1", **ALICE}),
    ask("/images/router-1.2.bin", 401, sends={"Authorization": "Basic YWxpY2U6d3Jvbmc="}),
    ask("/images/router-1.2.bin", 401, sends={"Authorization": "Basic bm9ib2R5Ondyb25n"}),
    ask("/images/router-1.2.bin", 401, sends={"Authorization": "Bearer x"}),
    ask("/images/none.bin", 401),
    ask("/images/none.bin", 404, sends=ALICE),
    ask("/images/", 403, sends=ALICE, differs={"caddy": "404: a folder without a page is not found",
                                               "gearshift": "404: a folder without a page is not found",
                                               "migrated": "404: a folder without a page is not found"}),
    ask("/images/SHA256SUMS", 200, "0a1b  router-1.2.bin\n"),
]
