"""What the threads of a process know of files together: each file is looked at once, however many
threads serve it, and what is deployed is seen by all of them."""
import contextlib
import json
import os
import unittest

from command import WAIT_S, Command, wait_until

THREADS = 4
CONNECTIONS = 48  # each thread has some
FILES = 20
ENGINES = ("multi-reactor", "proactor")
OLD = 1_000_000_000  # seconds: a file that changed just now is read again


class Client:
    """A connection that stays, and so the thread that serves it."""

    def __init__(self, server):
        self.socket = server.connect()
        self.socket.settimeout(WAIT_S)
        self.stream = self.socket.makefile("rb")

    def get(self, path):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status = int(self.stream.readline().split()[1])
        length = 0
        while (line := self.stream.readline().strip()):
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        return status, self.stream.read(length)

    def close(self):
        self.stream.close()
        self.socket.close()


class SharedFiles(Command):
    def put(self, name, text):
        os.utime(self.write("site/" + name, text), (OLD, OLD))

    def options(self, *settings):
        always = (f"threads={THREADS}", "processes=0", "control=off")
        return [word for setting in (*always, *settings) for word in ("-o", setting)]

    def begin_server(self, engine, *settings):
        self.need_engine(engine)
        for number in range(FILES):
            self.put(f"{number}.txt", f"file {number}\n")
        config = self.config('cache_valid = 10m\n', 'status_page = "/status"')
        server = self.serve("-c", config, "-e", engine, *self.options(*settings))
        clients = [Client(server) for _ in range(CONNECTIONS)]
        for client in clients:
            self.addCleanup(client.close)
        return server, clients

    def figures(self, client):
        status, body = client.get("/status?format=json")
        self.assertEqual(status, 200)
        return json.loads(body)

    def all_ask(self, clients):
        for number in range(FILES):
            for client in clients:
                self.assertEqual(client.get(f"/{number}.txt"),
                                 (200, f"file {number}\n".encode()))
                self.assertEqual(client.get(f"/none{number}")[0], 404)

    def looks(self, engine, *settings):
        """How often the kernel was asked for a file, and what of it threads told each other."""
        server, clients = self.begin_server(engine, *settings)
        self.all_ask(clients)
        found = self.figures(clients[0])
        self.assertEqual(server.stop(), 0)
        return found["file_jobs_total"]["open"], found["file_cache_total"]["shared"]

    def test_each_file_is_looked_at_once(self):
        for engine in ENGINES:
            with self.subTest(engine=engine):
                opened, shared = self.looks(engine)
                self.assertEqual(opened, 2 * FILES)
                self.assertEqual(shared, 2 * FILES * (THREADS - 1))

    def test_off(self):
        for engine in ENGINES:
            with self.subTest(engine=engine):
                opened, shared = self.looks(engine, "cache_shared=off")
                self.assertEqual((opened, shared), (2 * FILES * THREADS, 0))

    def test_one_budget(self):
        """The contents of cache_bytes are there once; divided, half of them would be."""
        for engine in ENGINES:
            with self.subTest(engine=engine):
                server, clients = self.begin_server(engine, "cache_bytes=160k")
                for number in range(FILES):
                    self.put(f"{number}.txt", f"{number:04}" * 1000)  # 80 KB; a thread may have 20
                for client in clients:
                    for number in range(FILES):
                        self.assertEqual(client.get(f"/{number}.txt"),
                                         (200, (f"{number:04}" * 1000).encode()))
                found = self.figures(clients[0])
                self.assertEqual(found["file_jobs_total"]["open"], FILES)
                self.assertLess(found["file_cache_memory_bytes"], 160 * 1024)
                self.assertEqual(server.stop(), 0)

    def test_a_change_is_seen_by_all(self):
        """With notify every thread sees it at once, by one look."""
        for engine in ENGINES:
            with self.subTest(engine=engine):
                server, clients = self.begin_server(engine, "cache_valid=notify")
                self.all_ask(clients)
                before = self.figures(clients[0])["file_jobs_total"]["open"]
                self.put("next", "new\n")
                os.rename(self.path("site/next"), self.path("site/3.txt"))
                self.becomes(clients[0], "/3.txt", b"new\n")
                for client in clients:
                    self.assertEqual(client.get("/3.txt"), (200, b"new\n"))
                opened = self.figures(clients[0])["file_jobs_total"]["open"] - before
                self.assertLessEqual(opened, 3)
                self.assertEqual(server.stop(), 0)

    def becomes(self, client, path, text):
        self.assertTrue(wait_until(lambda: client.get(path) == (200, text)), path)

    def test_a_switched_root_is_another(self):
        """Nothing of the release before is found in the new one, by any of the threads."""
        link = self.path("current")
        for release in "ab":
            os.makedirs(self.path(release))
            os.utime(self.write(f"{release}/f.txt", release), (OLD, OLD))
        os.symlink("a", link)
        for engine in ENGINES:
            with self.subTest(engine=engine):
                self.need_engine(engine)
                site = f'server "a" {{ listen = {{"127.0.0.1:0"}} root = "{link}" }}\n'
                config = self.write("roots.conf", "cache_valid = 100ms\n" + site)
                server = self.serve("-c", config, "-e", engine, *self.options())
                with contextlib.ExitStack() as stack:
                    clients = [stack.enter_context(contextlib.closing(Client(server)))
                               for _ in range(CONNECTIONS)]
                    for release in "abab":
                        os.symlink(release, link + ".next")
                        os.rename(link + ".next", link)
                        for client in clients:
                            self.becomes(client, "/f.txt", release.encode())
                        for client in clients:  # and it stays
                            self.assertEqual(client.get("/f.txt"), (200, release.encode()))
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
