"""`gearshift health`: a server that is well, one that is not, one that is silent, and none."""

import socket
import threading
import unittest

from command import Command


class TestHealth(Command):
    def health(self, *arguments):
        status, out, err = self.run_command("health", *arguments)
        self.assertEqual(out, "")
        return status, err

    def listener(self):
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"

    def answer(self, octets):
        """The end of one question to a server that answers so; and what it was asked."""
        listening, url = self.listener()
        asked = []

        def serve():
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(octets)
        thread = threading.Thread(target=serve)
        thread.start()
        status, err = self.health(url + "/well?x=1")
        thread.join()
        return status, err, asked[0]

    def test_the_server_itself(self):
        server = self.serve(self.site, "--port", "0", "-o", "health=/healthz")
        host = server.where[0].removeprefix("http://").rstrip("/")
        self.assertEqual(self.health(f"http://{host}/healthz"), (0, ""))
        self.assertEqual(self.health(f"http://{host}"), (0, ""))
        status, err = self.health(f"http://{host}/none")
        self.assertEqual(status, 1)
        self.assertIn("not well: 404", err)

    def test_a_unix_socket(self):
        path = self.path("s.sock")
        self.serve(self.site, "--listen", f"unix:{path}", "-o", "health=/healthz")
        self.assertEqual(self.health(f"unix:{path}"), (0, ""))
        self.assertEqual(self.health(f"unix:{path}:/none")[0], 1)

    def test_answers(self):
        status, err, asked = self.answer(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(asked.startswith(b"GET /well?x=1 HTTP/1.1\r\nHost: 127.0.0.1"), asked)
        for octets, sentence in ((b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "not well: 503"),
                                 (b"HTTP/1.1 302 Found\r\n\r\n", "not well: 302"),
                                 (b"SSH-2.0-OpenSSH_9\r\n", "does not speak HTTP"),
                                 (b"HTTP/1.1 2", "does not speak HTTP"), (b"", "no answer")):
            with self.subTest(octets):
                status, err, _ = self.answer(octets)
                self.assertEqual(status, 1)
                self.assertIn(sentence, err)

    def test_silence_has_an_end(self):
        _, url = self.listener()
        status, err = self.health(url, "--timeout", "100ms")
        self.assertEqual(status, 1)
        self.assertIn("timed out", err)

    def test_nobody(self):
        listening, url = self.listener()
        listening.close()
        status, err = self.health(url)
        self.assertEqual(status, 1)
        self.assertIn("Connection refused", err)

    def test_arguments(self):
        for arguments in (("https://localhost/",), ("ftp://localhost/",), ("http://",), ("http://a:99999/",),
                          ("http://a b/",), ("http://[::1/",), ("http://a", "b"), ("--timeout",),
                          ("--timeout", "0"), ("-x",), ("http://a/\r\nX: y",)):
            status, err = self.health(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertNotEqual(err, "")


if __name__ == "__main__":
    unittest.main()
