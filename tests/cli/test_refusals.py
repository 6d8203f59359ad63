"""Everything that stops a start: its exit status and its one sentence, from -t and from a start
alike. The configuration's own errors are test_config's in tests/unit; here is one of each kind."""
import os
import resource
import unittest

from command import AS_ROOT, Command


class Configuration(Command):
    """Exit status 78."""

    def refused(self, sentence, file, *arguments):
        for mode in (["-t"], []):
            with self.subTest(sentence=sentence, mode=mode):
                self.assert_refused(78, sentence, *mode, "-c", file, *arguments)

    def test_unknown_key(self):
        self.refused(r"broken\.conf.*1.*no_such_key", self.config("no_such_key = 1",
                                                                 name="broken.conf"))

    def test_bad_value(self):
        self.refused(r"broken\.conf.*2.*connections_max",
                     self.config("\nconnections_max = many", name="broken.conf"))

    def test_missing_brace(self):
        self.refused(r"broken\.conf", self.write("broken.conf", 'server "x" {\n    root = "/"\n'))

    def test_missing_file(self):
        self.refused(r"no\.conf.*No such file", self.path("no.conf"))

    def test_missing_root(self):
        os.rename(self.site, self.path("elsewhere"))
        self.refused(r"/site.*No such file", self.config())
        self.write("site", "a file")
        self.refused(r"/site.*[Nn]ot a (directory|folder)", self.config())

    def test_missing_folder_of_the_command_line(self):
        for mode in (["-t"], []):
            self.assert_refused(78, "/no-such.*No such file", *mode, self.path("no-such"))

    def test_unwritable_logs(self):
        for key in ("error_log", "access_log"):
            self.refused(rf"{key} .*/none/x\.log cannot be written: No such file",
                         self.config(f'{key} = "@DIR@/none/x.log"'))
            self.refused(rf"{key} .*/site cannot be written: Is a directory",
                         self.config(f'{key} = "@DIR@/site"'))

    def test_pid_file(self):
        self.refused(r"pid_file .*/none/g\.pid: No such file",
                     self.config('pid_file = "@DIR@/none/g.pid"'))
        os.symlink("/nowhere", self.path("link.pid"))
        self.refused(r"pid_file .*/link\.pid: it is a symbolic link",
                     self.config('pid_file = "@DIR@/link.pid"'))

    def test_engine(self):
        self.refused(r"'warp'.*reactor", self.config('engine = "warp"'))
        for engine in ("reactor", "reactor-pool", "coroutine", "iterative", "thread-per-connection",
                       "thread-pool", "process-per-connection"):
            self.refused(r"threads = 3 needs multi-reactor",
                         self.config(f'engine = "{engine}"\nthreads = 3'))

    def test_media_types(self):
        os.mkdir(self.path("types"))
        self.refused(r"/types.*Is a directory", self.config('mime_types = "@DIR@/types"'))

    def test_addresses(self):
        self.refused(r"congestion.*no-such",
                     self.write("a.conf", f'server "x" {{ listen = {{"127.0.0.1:0 '
                                          f'congestion=no-such"}} root = "{self.site}" }}'))
        path = self.path("none/g.sock")
        self.refused(r"none/g\.sock.*No such file",
                     self.write("b.conf", f'server "x" {{ listen = {{"unix:{path}"}} '
                                          f'root = "{self.site}" }}'))

    @unittest.skipUnless(AS_ROOT, "only root becomes somebody")
    def test_users(self):
        self.refused(r"user 'no-such-user' does not exist", self.config('user = "no-such-user"'))
        self.refused(r"refusing to serve as root", self.config('user = "root"'))

    def test_refusal_is_in_the_error_log(self):
        file = self.config('error_log = "@DIR@/e.log"\naccess_log = "@DIR@/none/a.log"')
        self.assert_refused(78, "access_log", "-c", file)
        self.assertRegex(self.read("e.log"),
                         r"\A\S+Z error \S+:2: access_log .* cannot be written: .*\n\Z")

    def test_failed_start_leaves_no_pid_file(self):
        file = self.config('pid_file = "@DIR@/g.pid"\nthreads = 3')
        self.assert_refused(78, "threads", "-c", file)
        self.assertFalse(os.path.exists(self.path("g.pid")))


class Runtime(Command):
    """Exit status 1."""

    def test_port_in_use(self):
        server = self.serve(self.site, "--port", "0")
        self.assert_refused(1, r"127\.0\.0\.1:\d+.*another process listens there already",
                            self.site, "--port", str(server.address[1]))

    def test_unix_socket_in_use(self):
        address = "unix:" + self.path("g.sock")
        server = self.serve(self.site, "--listen", address)
        self.assert_refused(1, r"g\.sock.*another process listens there already",
                            self.site, "--listen", address)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_foreign_address(self):
        self.assert_refused(1, r"192\.0\.2\.1:0.*no such address",
                            self.site, "--listen", "192.0.2.1:0")


class Engine(Command):
    """Exit status 69."""

    def test_engine_unavailable(self):
        """With sixteen descriptors, twelve of them inherited, there is none left for an epoll
        instance, beside the standard streams and the document root. Root needs one more to find
        the latter."""
        def few_files():
            for number in range(3, 15):
                os.dup2(0, number)
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))

        for mode in (["-t"], []):
            self.assert_refused(69, "epoll.*event loops need", *mode, self.site, "--port", "0",
                                preexec_fn=few_files, close_fds=False,
                                **(self.as_nobody() if AS_ROOT else {}))


if __name__ == "__main__":
    unittest.main()
