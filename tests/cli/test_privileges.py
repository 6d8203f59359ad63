"""Started as root: who serves in the end, whose the logs are, and what is still possible. Started
as an ordinary user: nothing of it."""
import os
import pwd
import re
import resource
import subprocess
import unittest

from command import AS_ROOT, BINARY, Command

NOBODY = pwd.getpwnam("nobody")
CAP_SETPCAP = 8


@unittest.skipUnless(AS_ROOT, "only root has privileges to drop")
class Root(Command):
    def assert_is(self, server, uid, gid):
        self.assertEqual(server.status_line("Uid"), [str(uid)] * 4)
        self.assertEqual(server.status_line("Gid"), [str(gid)] * 4)

    def test_becomes_nobody(self):
        server = self.serve(self.site, "--port", "0")
        self.assert_is(server, NOBODY.pw_uid, NOBODY.pw_gid)
        self.assertNotIn("0", server.status_line("Groups"))
        self.assertEqual(server.status_line("NoNewPrivs"), ["1"])
        self.assert_no_capabilities(server)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def assert_no_capabilities(self, server, names=("CapInh", "CapPrm", "CapEff", "CapBnd",
                                                    "CapAmb")):
        """In none of its threads."""
        with open("/proc/self/status", encoding="ascii") as file:
            ours = int(re.search(r"(?m)^CapEff:\t(\w+)$", file.read())[1], 16)
        if not ours >> CAP_SETPCAP & 1:  # a container's root may have no say about this set
            names = tuple(name for name in names if name != "CapBnd")
        for task in os.listdir(f"/proc/{server.pid}/task"):
            with open(f"/proc/{server.pid}/task/{task}/status", encoding="ascii") as file:
                found = dict(re.findall(r"(?m)^(Cap...):\t(\w+)$", file.read()))
            self.assertEqual({name: int(found[name], 16) for name in names},
                             dict.fromkeys(names, 0))

    def start_with(self, *setpriv):
        """The command that starts the server with what setpriv(1) is told, or the test is
        skipped."""
        done = subprocess.run(["setpriv", *setpriv, BINARY, "-v"], capture_output=True, check=False,
                              text=True)
        if done.returncode != 0:
            self.skipTest(f"setpriv: {done.stderr}")
        return ["setpriv", *setpriv]

    def test_started_as_a_user_with_capabilities(self):
        """As by systemd's AmbientCapabilities=: they served to open what needs them."""
        some = "+net_bind_service,+dac_override,+setuid,+setpcap"
        before = self.start_with("--reuid=65534", "--regid=65534", "--clear-groups",
                                 f"--inh-caps={some}", f"--ambient-caps={some}")
        for engine in ("reactor", "reactor-pool", "multi-reactor", "proactor"):
            with self.subTest(engine):
                server = self.serve(self.site, "--port", "0", "-e", engine, before=before)
                self.assert_is(server, NOBODY.pw_uid, NOBODY.pw_gid)
                self.assert_no_capabilities(server)
                self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                self.assertEqual(server.stop(), 0)

    def test_started_as_root_with_capabilities_for_others(self):
        """What root hands on to programs and users."""
        before = self.start_with("--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service",
                                 "--securebits", "+no_setuid_fixup")
        server = self.serve(self.site, "--port", "0", before=before)
        self.assert_is(server, NOBODY.pw_uid, NOBODY.pw_gid)
        self.assert_no_capabilities(server)
        server = self.serve(self.site, "--port", "0", "-o", "user=root", "-o", "allow_root=on",
                            before=before)
        self.assert_no_capabilities(server, ("CapInh", "CapAmb"))
        self.assertNotEqual(int(server.status_line("CapEff")[0], 16), 0)

    def test_other_user(self):
        daemon = pwd.getpwnam("daemon")
        server = self.serve(self.site, "--port", "0", "-o", "user=daemon")
        self.assert_is(server, daemon.pw_uid, daemon.pw_gid)

    def test_root_must_be_allowed(self):
        self.assert_refused(78, "refusing to serve as root", self.site, "-o", "user=root")
        server = self.serve(self.site, "--port", "0", "-o", "user=root", "-o", "allow_root=on")
        self.assert_is(server, 0, 0)
        self.assertEqual(server.status_line("NoNewPrivs"), ["1"])
        # Allowed is not asked for.
        server = self.serve(self.site, "--port", "0", "-o", "allow_root=on")
        self.assert_is(server, NOBODY.pw_uid, NOBODY.pw_gid)

    def test_serves_below_a_folder_of_roots(self):
        """The document root was opened as root: what lies above it need not let nobody through."""
        os.mkdir(self.path("private"), 0o700)
        os.rename(self.site, self.path("private/site"))
        server = self.serve(self.path("private/site"), "--port", "0")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_warns_of_a_root_that_is_closed(self):
        os.chmod(self.site, 0o700)
        server = self.serve(self.site, "--port", "0")
        self.assertRegex(server.stderr(), r"warn root \S+/site cannot be entered by user 'nobody'")
        self.assertEqual(server.get("/hello.txt")[0], 403)

    def test_files_of_roots_are_not_served(self):
        os.chmod(self.write("site/secret", "root's\n"), 0o600)
        server = self.serve(self.site, "--port", "0")
        self.assertEqual(server.get("/secret")[0], 403)

    def test_logs_are_the_users(self):
        file = self.config('error_log = "@DIR@/e.log"\naccess_log = "@DIR@/a.log"')
        server = self.serve("-c", file)
        for name in ("e.log", "a.log"):
            info = os.stat(self.path(name))
            self.assertEqual((info.st_uid, info.st_mode & 0o777 & ~0o640), (NOBODY.pw_uid, 0))
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertIn("GET /hello.txt", self.read("a.log"))

    def test_a_log_that_is_a_link_is_refused(self):
        """Whoever can write to the folder of logs must not be given a file of root's."""
        self.write("precious", "root's\n")
        for key in ("error_log", "access_log"):
            for link in (os.symlink, os.link):
                link(self.path("precious"), self.path("x.log"))
                file = self.config(f'{key} = "@DIR@/x.log"')
                self.assert_refused(78, r"x\.log is a link", "-c", file)
                os.unlink(self.path("x.log"))
                self.assertEqual(os.stat(self.path("precious")).st_uid, 0)

    def test_pid_file_in_a_folder_of_roots(self):
        file = self.config('pid_file = "@DIR@/g.pid"')
        server = self.serve("-c", file)
        self.assertEqual(self.read("g.pid"), f"{server.pid}\n")
        self.assertEqual(os.stat(self.path("g.pid")).st_uid, 0)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.read("g.pid"), "")

    def test_low_port(self):
        server = self.serve(self.site, "--listen", "127.0.0.3:1")
        self.assert_is(server, NOBODY.pw_uid, NOBODY.pw_gid)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def test_as_an_ordinary_user(self):
        nobody = self.as_nobody()
        server = self.serve(self.site, "--port", "0", "-o", "user=no-such-user", **nobody)
        self.assert_is(server, NOBODY.pw_uid, NOBODY.pw_gid)
        self.assertEqual(server.status_line("NoNewPrivs"), ["1"])
        self.assertEqual(server.stderr(), "")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assert_refused(78, r"need root or CAP_NET_BIND_SERVICE", self.site, "--port", "1",
                            **nobody)
        self.assert_refused(78, r"/x\.log cannot be written: Permission denied", self.site,
                            "--port", "0", "-o", "error_log=/x.log", **nobody)


class Anybody(Command):
    def test_limit_of_descriptors(self):
        """It is raised to what the configuration needs; where that is refused, a warning tells both
        numbers and the server serves on."""
        def few_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 300))

        settings = ["-o", "connections_max=200", "-o", "cache_files=10"]
        server = self.serve(self.site, "--port", "0", *settings, preexec_fn=few_files)
        self.assertEqual(self.limit(server), 292)
        server = self.serve(self.site, "--port", "0", *settings, "-o", "connections_max=1000",
                            preexec_fn=few_files)
        soft = self.limit(server)
        with open(server.stderr_path, encoding="utf-8") as file:
            warning = file.read()
        if soft == 1092:  # root with CAP_SYS_RESOURCE
            self.assertEqual(warning, "")
        else:
            self.assertEqual(soft, 300)
            self.assertRegex(warning, r"warn .*need 1092 descriptors, but the limit is 300")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))

    def limit(self, server):
        with open(f"/proc/{server.pid}/limits", encoding="ascii") as file:
            return int(re.search(r"^Max open files +(\d+)", file.read(), re.M)[1])

    def test_more_roots_than_the_soft_limit(self):
        """Roots, logs and event loops are counted, and the limit is raised before they are open."""
        def soft_limit():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))

        locations = []
        for number in range(1020):
            os.mkdir(self.path(f"site/{number}"))
            locations.append(f'location "/{number}/" {{ alias = "@DIR@/site/{number}" }}')
        file = self.config("connections_max = 100\ncache_files = 10", "\n".join(locations))
        self.assertEqual(self.run_command("-t", "-c", file, preexec_fn=soft_limit)[0], 0)
        server = self.serve("-c", file, preexec_fn=soft_limit)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_more_logs_than_the_soft_limit(self):
        def soft_limit():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))

        os.mkdir(self.path("logs"))
        servers = "".join(f'server "s{n}" {{ root = "{self.site}" listen = "127.0.0.1:0"\n'
                          f'access_log = "{self.folder}/logs/{n}" }}\n' for n in range(300))
        for engine in ("multi-reactor", "proactor"):
            with self.subTest(engine):
                file = self.write("server.conf", f"engine = {engine}\nthreads = 4\n"
                                  f"connections_max = 100\ncache_files = 10\n{servers}")
                server = self.serve("-c", file, preexec_fn=soft_limit)
                self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                self.assertEqual(server.stop(), 0)

    def test_hard_limit_that_is_too_low(self):
        """Where not even the start fits, the sentence says what needs how many."""
        def hard_limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

        popen = self.as_nobody() if AS_ROOT else {}
        servers = "".join(f'server "s{n}" {{ root = "{self.site}" listen = "127.0.0.1:{4000 + n}"\n'
                          f'access_log = "{self.folder}/{n}.log" }}\n' for n in range(40))
        file = self.write("server.conf", f"engine = multi-reactor\nthreads = 2\n{servers}")
        for mode in ([], ["-t"]):
            self.assert_refused(
                1, r"gearshift: the start alone needs 133 descriptors: 1 roots, 40 access logs for "
                   r"each of 2 event loops, 40 addresses and the server's own, but the limit is 100 "
                   r"\(RLIMIT_NOFILE\): raise it", *mode, "-c", file, preexec_fn=hard_limit, **popen)

    def test_no_new_privileges(self):
        server = self.serve(self.site, "--port", "0")
        self.assertEqual(server.status_line("NoNewPrivs"), ["1"])


if __name__ == "__main__":
    unittest.main()
