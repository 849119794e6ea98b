"""What JupyterLab's page does when a notebook is opened and a cell is run, against a running server.

Usage: lab_session.py URL-WITH-TOKEN KERNEL CODE TEXT-EXPECTED-IN-THE-RESULT [--keep]
"""

import json
import sys
import time
import urllib.parse
import urllib.request
import uuid

import websocket

PATIENCE = 180


def main():
    address, kernel, code, expected, *options = sys.argv[1:]
    parts = urllib.parse.urlsplit(address)
    token = urllib.parse.parse_qs(parts.query)["token"][0]
    authorization = f"token {token}"

    def request(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"http://{parts.netloc}{path}", data, headers, method=method), timeout=PATIENCE
        ) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    # The path decides where the kernel works: beside the notebook, as the page has it, and not where the server was started.
    started = request("POST", "/api/kernels", {"name": kernel, "path": "00_welcome.ipynb"})
    path = f"/api/kernels/{started['id']}"
    try:
        channels = websocket.create_connection(f"ws://{parts.netloc}{path}/channels", header={"Authorization": authorization}, timeout=PATIENCE)
        message_id = uuid.uuid4().hex
        header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": uuid.uuid4().hex, "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
        channels.send(json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}))
        reply, idle, shown = None, False, []
        end = time.monotonic() + PATIENCE
        while not (reply and idle):
            assert time.monotonic() < end, f"no answer within {PATIENCE} s"
            message = json.loads(channels.recv())
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] == "execute_reply":
                reply = message["content"]
            elif message["msg_type"] in ("execute_result", "display_data"):
                shown.append(message["content"]["data"]["text/plain"])
            idle = idle or message["content"].get("execution_state") == "idle"
        assert reply["status"] == "ok", reply
        assert any(expected in text for text in shown), shown
        channels.close()
    finally:
        # Left running when asked: to see that stopping the server ends it.
        if "--keep" not in options:
            request("DELETE", path)


if __name__ == "__main__":
    main()
