"""A host of files that knows ranges, and fails when it is told to."""

import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Host:
    """What a server does.

    Attributes:
        address: of the folder.
        requests: how often each file was asked for.
        bytes_sent: of each file.
        cut: bytes after which a connection is closed, by the names of files.
        status: answers an error instead, by the names of files.
        busy: for how many requests the host is busy first, likewise.
        knows_ranges: whether a download can go on.
    """

    def __init__(self, folder):
        self.folder = folder
        self.address = ""
        self.requests = Counter()
        self.bytes_sent = Counter()
        self.cut = {}
        self.status = {}
        self.busy = Counter()
        self.knows_ranges = True


@contextmanager
def serving(folder):
    host = Host(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/")
            host.requests[name] += 1
            path = host.folder / name
            status = host.status.get(name, 200 if path.is_file() else 404)
            if host.requests[name] <= host.busy[name]:
                status = 503
            if status != 200:
                self.send_error(status)
                return
            content = path.read_bytes()
            start = 0
            if host.knows_ranges and (wanted := self.headers.get("Range")):
                start = int(wanted.removeprefix("bytes=").split("-")[0])
                if start >= len(content):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            sent = content[start:][: host.cut.get(name)]
            host.bytes_sent[name] += len(sent)
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
