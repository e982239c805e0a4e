"""A small server of the tests, in a thread of its own while it is needed."""

import threading
from contextlib import contextmanager


@contextmanager
def in_a_thread(server):
    """Let `server` answer until the block ends, then leave neither thread nor socket behind."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
