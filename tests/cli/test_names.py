"""Names of hosts in --listen and `listen`: each is all of its addresses, looked up at the start."""
import ctypes
import http.client
import os
import re
import socket
import unittest

from command import AS_ROOT, Command, free_port

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
HOSTS = ("127.0.0.1 localhost two.test here.test\n127.0.0.2 two.test two.test\n"
         "192.0.2.1 here.test nowhere.test\n")


def has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


class Localhost(Command):
    def test_listen(self):
        port = free_port()
        expected = len({info[4][0] for info in socket.getaddrinfo(
            "localhost", port, type=socket.SOCK_STREAM)})
        server = self.serve(self.site, "--listen", "localhost", "--port", str(port),
                            addresses=expected)
        self.assertIn(f"http://127.0.0.1:{port}/", server.where)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_unknown(self):
        """Nobody has this name (RFC 6761 section 6.4); where there is no name server, nobody knows."""
        for mode in ([], ["-t"]):
            self.assert_refused(
                78, r'--listen: "nobody\.invalid" has no addresses: '
                    r'(no such host is known|no name server answers)', *mode, self.site, "--listen",
                "nobody.invalid:80")

    def test_no_name(self):
        self.assert_refused(78, r'"1\.2\.3" is neither an IPv4 address nor the name of a host',
                            self.site, "--listen", "1.2.3:80")


class All(Command):
    def test_a_port_alone_and_a_server_for_all_other_names(self):
        """The port is one of all addresses, and what no server is named for, `_` answers to."""
        file = self.write("all.conf", f"""
            server a.test {{ root = "{self.site}" listen = 0 }}
            server _ {{ listen = ":0" }}""")
        server = self.serve("-c", file, addresses=2 if has_ipv6() else 1)
        for index, where in enumerate(server.where):
            self.assertRegex(where, r"\Ahttp://(0\.0\.0\.0|\[::\]):\d+/\Z")
            self.assertEqual(server.get("/hello.txt", index)[0], 404)
            connection = http.client.HTTPConnection(where[len("http://"):].rstrip("/"), timeout=20)
            connection.request("GET", "/hello.txt", headers={"Host": "a.test"})
            self.assertEqual(connection.getresponse().read(), b"hello\n")
            connection.close()


@unittest.skipUnless(AS_ROOT, "only root can have a hosts file of its own")
class Hosts(Command):
    """With a file /etc/hosts that only the server sees."""

    def setUp(self):
        super().setUp()
        text = HOSTS + ("::1 two.test\n" if has_ipv6() else "")
        hosts = self.write("hosts", text).encode()

        def apply():
            libc = ctypes.CDLL(None, use_errno=True)
            if (libc.unshare(CLONE_NEWNS) != 0
                    or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0
                    or libc.mount(hosts, b"/etc/hosts", None, MS_BIND, None) != 0):
                os._exit(99)

        self.popen = {"preexec_fn": apply}
        if self.run_command("-v", **self.popen)[0] == 99:
            self.skipTest("no mount namespace can be made here")

    def test_all_addresses(self):
        """On every engine, each address once; those of one host can be shared with numbers."""
        port = free_port()
        wanted = {f"http://127.0.0.1:{port}/", f"http://127.0.0.2:{port}/"}
        wanted |= {f"http://[::1]:{port}/"} if has_ipv6() else set()
        for engine in ("reactor", "reactor-pool", "multi-reactor", "proactor"):
            with self.subTest(engine):
                server = self.serve(self.site, "--listen", "two.test", "--port", str(port), "-e",
                                    engine, addresses=len(wanted), **self.popen)
                self.assertEqual(set(server.where), wanted)
                for index in range(len(wanted)):
                    self.assertEqual(server.get("/hello.txt", index), (200, b"hello\n"))
                self.assertEqual(server.stop(), 0)

    def test_what_this_machine_has_not(self):
        """It is left out; a name that has nothing else is refused, by its name."""
        server = self.serve(self.site, "--listen", "here.test:0", **self.popen)
        self.assertRegex(server.where[0], r"^http://127\.0\.0\.1:\d+/$")
        self.assertEqual(server.stop(), 0)
        self.assert_refused(1, r"192\.0\.2\.1:80 \(of nowhere\.test\): this machine has no such "
                               "address", self.site, "--listen", "nowhere.test:80", **self.popen)

    def test_twice(self):
        text = ('server "a" {{ root = "{}" listen = {{"two.test:{port}",\n"127.0.0.2:{port}"}} }}'
                .format(self.site, port=free_port()))
        self.assert_refused(78, r'server\.conf:2: listen: "127\.0\.0\.2:\d+" stands twice in one '
                                r'server: it is an address of two\.test', "-c",
                            self.write("server.conf", text), **self.popen)

    def test_printed(self):
        """-T prints what was found, which is read again as the same."""
        out = self.run_command("-T", self.site, "--listen", "two.test:81", **self.popen)[1]
        self.assertRegex(out, r'"127\.0\.0\.1:81 [^"]*"')
        self.assertNotIn("two.test", out)
        again = self.run_command("-T", "-c", self.write("again.conf", out))
        self.assertEqual(again[0], 0, again[2])
        self.assertEqual(re.findall(r'"([0-9.]+:81)', again[1]), re.findall(r'"([0-9.]+:81)', out))


if __name__ == "__main__":
    unittest.main()
