"""A headless Chromium, driven over the DevTools protocol through a pipe: pages opened on a network that is a table of ours.

Every request of a page is answered out of that table or refused and remembered. What does not come by way of the page (a socket,
a prefetch) ends at a proxy that only remembers who was asked for. Python's standard library only.
"""
import base64
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# `./dev deps` puts the modules of package.json here, whatever build is tested.
MODULES = os.environ.get("KNS_BROWSER_MODULES", os.path.join(ROOT, "build", "browser", "node_modules"))
AXE = os.path.join(MODULES, "axe-core", "axe.min.js")
VNU = os.path.join(MODULES, "vnu-jar", "build", "dist", "vnu.jar")
PATIENCE_S = 60
SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync",
            "--disable-extensions", "--disable-features=Translate,OptimizationHints,MediaRouter,NetworkTimeServiceQuerying",
            "--force-color-profile=srgb", "--font-render-hinting=none", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--proxy-bypass-list=<-loopback>", "--remote-debugging-pipe")


def program():
    """Chromium's path; None where there is none."""
    return os.environ.get("KNS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def missing():
    """What the tests lack, as a sentence; None when all is there."""
    if program() is None:
        return "no Chromium: ./dev deps installs it"
    for path in (AXE, VNU):
        if not os.path.exists(path):
            return "no %s: ./dev deps installs it" % os.path.relpath(path, ROOT)
    if shutil.which("java") is None:
        return "no java: ./dev deps installs it"
    return None


class Trap:
    """A proxy that lets nothing through and remembers what it was asked for."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    line = connection.recv(4096).split(b"\r\n")[0].decode("latin-1")
                    connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    line = "?"
                self.asked.append(line)

    def close(self):
        self.socket.close()


class Chromium:
    """One browser. close() ends it; it takes its profile along."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="kns-chromium-")
        self.trap = Trap()
        argv = [program(), *SWITCHES, "--proxy-server=127.0.0.1:%d" % self.trap.port, "--user-data-dir=" + self.profile, "about:blank"]
        # The protocol's ends are descriptors 3 and 4.
        self.process = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', *argv],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True)
        self.number, self.waiting, self.pages = 0, b"", {}
        self.workbench = None

    def close(self):
        if self.process.poll() is None:
            try:
                self.ask("Browser.close")
                self.process.wait(10)
            except (AssertionError, OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.trap.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    # ---- the protocol: NUL-terminated JSON, answers by number, events by session

    def send(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[self.process.stdin.write(data):]
        return self.number

    def ask(self, method, session=None, **params):
        number = self.send(method, session, **params)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            message = self.receive(deadline)
            if message is None:
                raise AssertionError("Chromium did not answer %s within %d s" % (method, PATIENCE_S))
            if message.get("id") != number:
                continue
            if "error" in message:
                raise AssertionError("%s: %s" % (method, message["error"]))
            return message["result"]

    def receive(self, deadline):
        """The next message, after its page has seen it; None when the deadline passes."""
        while b"\0" not in self.waiting:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            piece = self.process.stdout.read(1 << 20)
            if not piece:
                raise AssertionError("Chromium has ended")
            self.waiting += piece
        line, _, self.waiting = self.waiting.partition(b"\0")
        message = json.loads(line)
        if "method" in message:
            page = self.pages.get(message.get("sessionId"))
            if page is not None:
                page.on_event(message["method"], message["params"])
        return message

    def wait(self, condition, what, patience=PATIENCE_S):
        deadline = time.monotonic() + patience
        while not condition():
            if self.receive(deadline) is None:
                raise AssertionError("waited in vain: " + what)

    def settle(self, seconds):
        """Lets the pages go on for a while."""
        deadline = time.monotonic() + seconds
        while self.receive(deadline) is not None:
            pass

    def page(self, **how):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, target, session, **how)

    def look(self, png, code):
        """Evaluates code on the pixels of a picture: `data` (RGBA), `width`, `height`."""
        if self.workbench is None:
            self.workbench = self.page()
        return self.workbench.run("""(async () => {
            const image = new Image(); image.src = 'data:image/png;base64,%s'; await image.decode();
            const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            const {data, width, height} = context.getImageData(0, 0, image.width, image.height); %s })()""" % (png, code))


class Page:
    """A tab. `served` maps an address to (type, bytes) or is a function that does; whatever else it wants is refused and listed in
    `strangers`."""

    def __init__(self, chromium, target, session, width=1280, height=900, scheme="light", media="", served=None):
        self.chromium, self.target, self.session = chromium, target, session
        self.served = served if callable(served) else (served or {}).get
        self.requests, self.strangers, self.console, self.dialogs = [], [], [], []
        self.canaries, self.frames, self.windows, self.moves = [], [], [], []
        self.loaded = False
        chromium.pages[session] = self
        for method in ("Page.enable", "Runtime.enable", "Log.enable", "DOM.enable", "CSS.enable"):
            self.ask(method)
        self.ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self.ask("Runtime.addBinding", name="canary")
        self.shape(width, height)
        self.emulate(scheme, media)

    def ask(self, method, **params):
        return self.chromium.ask(method, self.session, **params)

    def close(self):
        del self.chromium.pages[self.session]
        self.chromium.ask("Target.closeTarget", targetId=self.target)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def shape(self, width, height=900):
        self.width = width
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def emulate(self, scheme="light", media=""):
        self.ask("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    # ---- what happens

    def on_event(self, method, params):
        handler = HANDLERS.get(method)
        if handler is not None:
            handler(self, params)

    def on_request(self, params):
        url = params["request"]["url"]
        self.requests.append(url)
        answer = self.served(url.partition("#")[0])
        if answer is None:
            self.strangers.append(url)
            self.chromium.send("Fetch.failRequest", self.session, requestId=params["requestId"], errorReason="BlockedByClient")
            return
        kind, body = answer
        self.chromium.send("Fetch.fulfillRequest", self.session, requestId=params["requestId"], responseCode=200,
                           responseHeaders=[{"name": "Content-Type", "value": kind}], body=base64.b64encode(body).decode())

    def on_dialog(self, params):
        self.dialogs.append(params["message"])
        self.chromium.send("Page.handleJavaScriptDialog", self.session, accept=False)

    def on_log(self, params):
        entry = params["entry"]
        # A refused picture is told of, too; requests are judged by their list.
        if entry["level"] in ("error", "warning") and entry["source"] != "network":
            self.console.append("%s: %s" % (entry["source"], entry["text"]))

    def on_console(self, params):
        self.console.append("%s: %s" % (params["type"], [a.get("value", a.get("description")) for a in params["args"]]))

    def on_navigated(self, params):
        if "parentId" not in params["frame"]:
            self.moves.append(params["frame"]["url"])

    # ---- what is done

    def open(self, url):
        self.loaded = False
        result = self.ask("Page.navigate", url=url)
        if "errorText" in result:
            raise AssertionError("%s: %s" % (url, result["errorText"]))
        self.chromium.wait(lambda: self.loaded, "the end of loading " + url)
        return self

    def show(self, html, url="http://page.example/"):
        """Opens a page with this HTML (a text) at an address."""
        before = self.served
        body = html.encode()
        self.served = lambda wanted: ("text/html; charset=utf-8", body) if wanted == url else before(wanted)
        return self.open(url)

    def run(self, code):
        """The value of an expression in the page, promises awaited."""
        done = self.ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            details = done["exceptionDetails"]
            raise AssertionError("%s\n%s" % (details.get("exception", {}).get("description", details["text"]), code[:2000]))
        return done["result"].get("value")

    def violations(self, **options):
        """What axe finds: [rule, impact, [element and why]]."""
        with open(AXE, encoding="utf-8") as fp:
            self.run(fp.read() + "\n;0")
        found = self.run("axe.run(document, Object.assign({resultTypes: ['violations']}, %s)).then(r => r.violations.map("
                         "v => [v.id, v.impact, v.nodes.slice(0, 5).map(n => n.html.slice(0, 200) + ' | ' + n.failureSummary)]))"
                         % json.dumps(options))
        return found

    def picture(self, clip=None, scale=1):
        """A PNG in base64 of the viewport, or of clip = (x, y, width, height) of the whole page."""
        if clip is None:
            return self.ask("Page.captureScreenshot", format="png")["data"]
        x, y, width, height = clip
        return self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                        clip={"x": x, "y": y, "width": width, "height": height, "scale": scale})["data"]

    def pdf(self):
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])

    def fonts_of(self, selector):
        """The fonts that the text below an element was drawn with: name and number of glyphs."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        return {f["familyName"]: f["glyphCount"] for f in self.ask("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]}


HANDLERS = {
    "Fetch.requestPaused": Page.on_request,
    "Page.javascriptDialogOpening": Page.on_dialog,
    "Page.loadEventFired": lambda page, _: setattr(page, "loaded", True),
    "Page.frameAttached": lambda page, params: page.frames.append(params["frameId"]),
    "Page.frameNavigated": Page.on_navigated,
    "Page.windowOpen": lambda page, params: page.windows.append(params["url"]),
    "Runtime.bindingCalled": lambda page, params: page.canaries.append(params["payload"]),
    "Runtime.consoleAPICalled": Page.on_console,
    "Runtime.exceptionThrown": lambda page, params: page.console.append("exception: " + params["exceptionDetails"]["text"]),
    "Log.entryAdded": Page.on_log,
}
