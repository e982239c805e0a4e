"""A small real web server for tests: it keeps what is posted to it, and answers as it is told."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.server_thread import in_a_thread


class HookServer(ThreadingHTTPServer):
    """Answers with the first of `answers` while there are any, then with 200."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts, self.answers = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/services/T0/s3cret"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.server.posts.append((status, dict(self.headers), json.loads(body)))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def hook_server():
    with in_a_thread(HookServer()) as server:
        yield server
