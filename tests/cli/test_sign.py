"""`gearshift sign`: links that end by themselves, and a server that lets them in."""
import re
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from command import Command

KEY = "0123456789abcdef0123456789abcdef"


class Sign(Command):
    def status_of(self, url):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def sign(self, *arguments):
        status, text, errors = self.run_command("sign", *arguments)
        self.assertEqual((status, errors), (0, ""))
        return text.rstrip("\n")

    def test_links(self):
        key = self.write("key", KEY + "\n")
        self.write("site/a b.txt", "a")
        server = self.serve("-c", self.config(server='signed = "@DIR@/key"'))
        url = re.search(r"http://[^/]+", str(server.where))[0]
        link = self.sign(url + "/a%20b.txt", "--key", key)
        self.assertRegex(link, r"/a%20b\.txt\?expires=\d+&signature=[-\w]{43}$")
        self.assertEqual(self.status_of(link), 200)
        self.assertEqual(self.status_of(link[:-1]), 403)
        self.assertEqual(self.status_of(url + "/a%20b.txt"), 403)
        self.assertEqual(self.status_of(self.sign("--key", key, url + "/a%20b.txt?x=y#"[:-1],
                                                  "--expires", "1y")), 200)
        self.assertEqual(server.stop(), 0)

    def test_as_openssl_does(self):
        key = self.write("key", KEY)
        link = self.sign("/a.iso", "--key", key, "--expires", "1d")
        expires = re.search(r"expires=(\d+)", link)[1]
        self.assertAlmostEqual(int(expires), time.time() + 86400, delta=60)
        shell = (f"printf '%s %s' {expires} /a.iso | openssl dgst -sha256 -hmac {KEY} -binary"
                 " | base64 | tr '+/' '-_' | tr -d '='")
        made = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
        self.assertEqual(link, f"/a.iso?expires={expires}&signature={made.stdout.strip()}")

    def test_refused(self):
        key = self.write("key", KEY)
        short = self.write("short", "x")
        for status, sentence, arguments in (
                (2, "usage: gearshift sign", ["/a"]),
                (2, "usage: gearshift sign", ["--key", key]),
                (2, "--key needs a value", ["/a", "--key"]),
                (2, "'/b' is not understood", ["/a", "/b", "--key", key]),
                (2, "'1' is not a duration", ["/a", "--key", key, "--expires", "1"]),
                (2, "no URL with a path", ["a", "--key", key]),
                (2, "no URL with a path", ["/a/../b", "--key", key]),
                (2, "no URL with a path", ["/a%zz", "--key", key]),
                (2, "no URL with a path", ["http://x", "--key", key]),
                (1, "No such file", ["/a", "--key", key + "x"]),
                (1, "does not hold a key of 16 to 1024 bytes", ["/a", "--key", short])):
            with self.subTest(arguments=arguments):
                got, _, errors = self.run_command("sign", *arguments)
                self.assertEqual(got, status)
                self.assertIn(sentence, errors)


if __name__ == "__main__":
    unittest.main()
