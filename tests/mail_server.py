"""A small real mail server for tests: it speaks enough SMTP for a client to hand over mails."""

import socketserver
from contextlib import contextmanager
from email import message_from_bytes, policy

from tests.server_thread import in_a_thread


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps every mail it takes; `refuses` maps a command's first word to what it answers."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.mails, self.refuses, self.recipients = [], {}, []

    @property
    def port(self):
        return self.server_address[1]


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.say("220 ready")
        for line in self.rfile:
            word = line.decode().split()[0].upper()
            if word in self.server.refuses:
                self.say(self.server.refuses[word])
            elif word == "EHLO":
                self.say("250-mail.test\r\n250 8BITMIME")
            elif word == "DATA":
                self.take()
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                if word == "RCPT":
                    self.server.recipients.append(line.decode().split("<")[1].split(">")[0])
                self.say("250 fine")

    def take(self):
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self.server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self.say("250 taken")


@contextmanager
def mail_server():
    with in_a_thread(MailServer()) as server:
        yield server
