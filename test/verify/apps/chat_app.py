"""A chat app on the standard library. With the argument "broken" it has one field for the user.

Prints its port, and then reads the base URL of its model from standard input.
"""

import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BROKEN = sys.argv[1] == "broken"
histories = {}
locks = {}
guard = threading.Lock()
current = {"user": ""}


def ask(messages):
    request = urllib.request.Request(
        f"{MODEL}/chat/completions",
        json.dumps({"model": "any", "messages": messages}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        user = body["user_id"]
        with guard:
            lock = locks.setdefault(user, threading.Lock())
        with lock:
            current["user"] = user
            message = {"role": "user", "content": body["message"]}
            reply = ask(histories.setdefault(user, []) + [message])
            owner = current["user"] if BROKEN else user
            answered = {"role": "assistant", "content": reply}
            histories.setdefault(owner, []).extend([message, answered])
        answer = json.dumps({"reply": reply}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Callers may leave before their reply is there."""


server = Server(("127.0.0.1", 0), Chat)
print(server.server_address[1], flush=True)
MODEL = sys.stdin.readline().strip()
server.serve_forever()
