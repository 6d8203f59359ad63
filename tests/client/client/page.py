"""A page that stays open in a Chromium without a window, and is asked meanwhile: the DevTools protocol
over two pipes (--remote-debugging-pipe), a JSON text and a NUL each way."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

from client.browser import ARGUMENTS

WAIT_S = 60
# The protocol's descriptors are 3 and 4.
START = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'


class Page:
    """Chromium, `browser` (client.browser), with one page of one size (width, height)."""

    def __init__(self, browser, address, size):
        self.folder = os.path.join(browser.folder, "page")
        self.pictures = browser.pictures
        self.text, self.number, self.session = b"", 0, None
        with open(os.path.join(browser.folder, "page.log"), "wb") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", START, "sh", browser.program.path, *ARGUMENTS, *browser.trust,
                 f"--user-data-dir={self.folder}", f"--proxy-server={browser.proxy()}",
                 f"--window-size={size[0]},{size[1]}", "--remote-debugging-pipe", "about:blank"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=browser.program.environment, bufsize=0)
        target = self.call("Target.createTarget", url=address)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        self.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(WAIT_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **parameters):
        """The result of a method of the protocol."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self.number:
            pass  # an event
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def _message(self):
        limit = time.monotonic() + WAIT_S
        while b"\0" not in self.text:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0, limit - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert data, f"no answer of the browser; its status: {self.process.poll()}"
            self.text += data
        message, _, self.text = self.text.partition(b"\0")
        return json.loads(message)

    def value(self, expression):
        """What the expression, in JavaScript, is."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                          awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression, wait_s=WAIT_S):
        """Waits until it is true."""
        limit = time.monotonic() + wait_s
        while not self.value(expression):
            assert time.monotonic() < limit, f"never: {expression}"
            time.sleep(0.05)

    def picture(self, name, dark=False):
        """Saves a screenshot; its path."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path = os.path.join(self.pictures, name + ".png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
        return path
