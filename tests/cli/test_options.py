"""Every option of the command line, and who wins over whom."""
import os
import re
import socket
import subprocess
import unittest

from command import AS_ROOT, BINARY, WAIT_S, Command, environment, free_port


class Information(Command):
    def test_help(self):
        for option in ("-h", "--help"):
            status, out, err = self.run_command(option)
            self.assertEqual((status, err), (0, ""))
            for word in ("usage: gearshift", "--root", "--port", "--listen", "--config", "--engine",
                         "--option", "--test", "--print", "USR1", " 69 ", " 78 "):
                self.assertIn(word, out)
            self.assertRegex(out, r"engines:\n(.*\n)*  reactor +single reactor")

    def test_version(self):
        for option in ("-v", "--version"):
            status, out, err = self.run_command(option)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"\Agearshift \d+\.\d+\.\d+\n\Z")

    def test_build_info(self):
        for option in ("-V", "--build-info"):
            status, out, err = self.run_command(option)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"\Agearshift \d+\.\d+\.\d+\n")
            self.assertRegex(out, r"\ncompiler: +(gcc|.*[Cc]lang) ?\d+")
            self.assertRegex(out, r"\nHTTP parser: llhttp \d+\.\d+")
            self.assertRegex(out, r"\nliburing: +\d+\.\d+")
            self.assertRegex(out, r"\ndictionary: .* dc[bz] \(\d+\.\d+")
            self.assertRegex(out, r"\ncompress: .* gzip \(\d+\.\d+")
            self.assertRegex(out, r"\nserver.conf: /\S+/gearshift/server.conf\n")
            self.assertRegex(out, r"\n  reactor ")

    def test_a_full_disk(self):
        """Who reads the output of a command is not to take a part of it for the whole."""
        key = self.write("key", "k" * 32)
        for arguments in (("-h",), ("-v",), ("-V",), ("-T", self.site), ("-t", self.site), ("doctor",),
                          ("doctor", "--json"), ("keys",), ("keys", "listen"), ("explain", "/hello.txt", self.site),
                          ("sign", "/a", "--key", key), ("dictionary", self.path("site/hello.txt"), key)):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE,
                                      env=environment(), timeout=WAIT_S, check=False)
                self.assertEqual((done.returncode, done.stderr),
                                 (1, b"gearshift: standard output cannot be written\n"))


class Usage(Command):
    def test_wrong_arguments(self):
        for arguments, sentence in (
                (["-x"], "option -x is unknown"),
                (["--no-such"], "option --no-such is unknown"),
                (["-c"], "-c needs a value"),
                (["a", "b"], "'b' is another"),
                (["a", "--port", "99999"], "--port takes a number from 0 to 65535"),
                (["-c", "f", "--port", "1"], "--port belongs to a folder"),
                (["a", "-o", "autoindex"], "-o takes KEY=VALUE")):
            with self.subTest(arguments):
                status, out, err = self.run_command(*arguments)
                self.assertEqual((status, out), (2, ""))
                self.assertRegex(err, r"\Agearshift: [^\n]*\nTry 'gearshift -h'\.\n\Z")
                self.assertIn(sentence, err)

    def test_nothing_to_serve(self):
        _, out, _ = self.run_command("-V")
        default = re.search(r"server.conf: (\S+)", out)[1]
        if os.path.exists(default):
            self.skipTest(f"{default} is installed")
        for arguments in ([], ["-t"], ["-e", "reactor"]):
            status, out, err = self.run_command(*arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertIn("nothing to serve: name a folder, or -c FILE "
                          f"(there is no {default})", err)


class Folder(Command):
    def test_folder(self):
        for arguments in ([self.site], ["--root", self.site]):
            server = self.serve(*arguments, "--port", "0")
            self.assertRegex(server.lines[0],
                             r"\Agearshift: serving \S+/site on http://127\.0\.0\.1:\d+/ "
                             r"\(engine reactor\)\n\Z")
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
            self.assertEqual(server.stderr(), "")

    def test_relative_folder(self):
        server = self.serve("site", "--port", "0", cwd=self.folder)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_port(self):
        port = free_port()
        server = self.serve(self.site, "--port", str(port))
        self.assertEqual(server.where, [f"http://127.0.0.1:{port}/"])

    def test_listen(self):
        server = self.serve(self.site, "--listen", "0.0.0.0", "--port", "0")
        self.assertRegex(server.where[0], r"\Ahttp://0\.0\.0\.0:\d+/\Z")
        port = server.where[0].split(":")[2]
        self.assertIn(f"  http://127.0.0.1:{port} (this machine)\n", server.reached)
        server = self.serve(self.site, "--listen", "127.0.0.2:0")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_listen_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        server = self.serve(self.site, "--listen", "::1", "--port", "0")
        self.assertRegex(server.where[0], r"\Ahttp://\[::1\]:\d+/\Z")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_listen_unix(self):
        path = self.path("g.sock")
        server = self.serve(self.site, "--listen", "unix:" + path)
        self.assertEqual(server.where, ["unix:" + path])
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(os.path.exists(path), AS_ROOT)  # the folder is root's, who is gone
        # What was left behind, or by a server that was killed, is no obstacle.
        server = self.serve(self.site, "--listen", "unix:" + path)
        server.process.kill()
        server.wait()
        self.assertTrue(os.path.exists(path))
        server = self.serve(self.site, "--listen", "unix:" + path)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_engine(self):
        server = self.serve(self.site, "--port", "0", "-e", "reactor")
        self.assertIn("(engine reactor)", server.lines[0])
        self.assert_refused(78, "no-such.*reactor", self.site, "-e", "no-such")


class Precedence(Command):
    """Command line over environment over file over default; seen in whether a folder is listed."""

    def listing(self, *arguments, env=None):
        server = self.serve(*arguments, env=environment(**(env or {})))
        status, _ = server.get("/")
        self.assertEqual(server.stop(), 0)
        return {200: True, 404: False}[status]

    def test_folder_settings(self):
        folder = [self.site, "--port", "0"]
        self.assertTrue(self.listing(*folder))  # what DIR says, where a file would have the default
        self.assertFalse(self.listing(*folder, "-o", "autoindex=off"))
        self.assertFalse(self.listing(*folder, env={"GEARSHIFT_AUTOINDEX": "off"}))
        self.assertTrue(self.listing(*folder, "-o", "autoindex=off", "--option=autoindex=on"))
        self.assertTrue(self.listing(*folder, env={"GEARSHIFT_AUTOINDEX": "on"}))
        self.assertFalse(self.listing(*folder, "-o", "autoindex=off",
                                      env={"GEARSHIFT_AUTOINDEX": "on"}))

    def connections(self, *arguments, env=None):
        status, out, err = self.run_command("-T", *arguments, env=environment(**(env or {})))
        self.assertEqual((status, err), (0, ""))
        return int(re.search(r"^\s*connections_max\s*=\s*(\d+)", out, re.M)[1])

    def test_file_settings(self):
        plain = self.config(name="plain.conf")
        file = self.config("connections_max = 100")
        env = {"GEARSHIFT_CONNECTIONS_MAX": "200"}
        self.assertEqual(self.connections("-c", plain), 10240)
        self.assertEqual(self.connections("-c", file), 100)
        self.assertEqual(self.connections("-c", file, env=env), 200)
        self.assertEqual(self.connections("-c", file, "-o", "connections_max=300", env=env), 300)


class ConfigurationFile(Command):
    def test_serves(self):
        file = self.config()
        server = self.serve("-c", file)
        self.assertRegex(server.lines[0], rf"\Agearshift: serving {re.escape(file)} on http://")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_several_addresses(self):
        file = self.write("two.conf", f'''
            server "localhost" {{
                listen = {{"127.0.0.1:0", "unix:{self.path("g.sock")}"}}
                root = "{self.site}"
            }}''')
        server = self.serve("-c", file, addresses=2)
        for index in range(2):
            self.assertEqual(server.get("/hello.txt", index), (200, b"hello\n"))

    def test_test(self):
        file = self.config('pid_file = "@DIR@/g.pid"\nerror_log = "@DIR@/e.log"\n'
                           'access_log = "@DIR@/a.log"')
        for option in ("-t", "--test"):
            status, out, err = self.run_command(option, "-c", file)
            self.assertEqual((status, out, err),
                             (0, f"gearshift: configuration {file} is valid\n", ""))
        # It has left nothing.
        self.assertEqual(sorted(os.listdir(self.folder)), ["server.conf", "site"])
        status, out, err = self.run_command("-t", self.site)
        self.assertEqual((status, out, err), (0, "gearshift: configuration is valid\n", ""))

    def test_settings_of_other_engines(self):
        """They do nothing here: a warning by -t and at the start, an error with --strict."""
        file = self.config("\npin = on\nworkers = 3\naccept = reuseport\nthreads = 1")
        told = [f"{file}:2: engine reactor has no use for pin; it is for multi-reactor, "
                "leader-followers and proactor",
                f"{file}:3: engine reactor has no use for workers; it is for reactor-pool and "
                "thread-pool"]
        status, out, err = self.run_command("-t", "-c", file)
        self.assertEqual((status, out), (0, f"gearshift: configuration {file} is valid\n"))
        self.assertEqual(err, "".join(f"gearshift: warning: {line}\n" for line in told))
        self.assertEqual(self.run_command("-t", "--strict", "-c", file),
                         (78, "", "".join(f"gearshift: {line}\n" for line in told)))
        self.assertEqual(self.run_command("-t", "--strict", "-c", file, "-e", "thread-pool", "-o",
                                          "pin=off")[0], 0)
        log = self.serve("-c", file).stderr()
        for line in told:
            self.assertIn(f" warn {line}\n", log)

    def test_test_beside_a_server(self):
        """A port in use is no fault of the configuration."""
        server = self.serve(self.site, "--port", "0")
        port = str(server.address[1])
        status, out, err = self.run_command("-t", self.site, "--port", port)
        self.assertEqual((status, err), (0, ""), out)
        self.assert_refused(1, "another process listens there already", self.site, "--port", port)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_print(self):
        file = self.config("connections_max = 77")
        status, out, err = self.run_command("-T", "-c", file)
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"(?m)^\s*connections_max\s*=\s*77")
        self.assertIn(self.site, out)
        # What is in force can be put in force.
        again = self.write("again.conf", out)
        self.assertEqual(self.run_command("-T", "-c", again), (0, out, ""))
        self.assertEqual(self.run_command("-t", "-c", again)[0], 0)


if __name__ == "__main__":
    unittest.main()
