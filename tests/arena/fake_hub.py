"""A small stand-in of the Hub: the routes that one commit of a dataset needs, on a port of this machine."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_" + "token of the tests"


@dataclass
class FakeHub:
    """Its repositories, by name: whether private, and the files; and what was asked of it."""

    private: dict[str, bool] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    refuses_commits: bool = False
    url: str = ""


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """A hub that answers for as long as this lasts."""
    hub = FakeHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
        """Say nothing."""

    def do_GET(self) -> None:
        parts = self._parts()
        repo = "/".join(parts[2:4])
        if repo not in self.hub.files:
            return self._say(404, {"error": "Repository not found"}, code="RepoNotFound")
        if "tree" in parts:
            files = self.hub.files[repo].items()
            told = [{"type": "file", "path": n, "size": len(b), "oid": sha1(b).hexdigest()} for n, b in files]  # noqa: S324
            return self._say(200, told)
        siblings = [{"rfilename": name} for name in self.hub.files[repo]]
        told = {"id": repo, "private": self.hub.private[repo], "siblings": siblings, "sha": "0" * 40}
        return self._say(200, told | {"tags": [], "downloads": 0, "likes": 0, "gated": False, "disabled": False})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = self._parts()
        repo = "/".join(parts[2:4])
        if parts[1:3] == ["repos", "create"]:
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            self.hub.private[name] = asked.get("visibility") == "private" or asked.get("private") is True
            self.hub.files[name] = {".gitattributes": b"*.parquet -text\n"}
            return self._say(200, {"url": f"{self.hub.url}/datasets/{name}", "id": name})
        if parts[1] == "validate-yaml":
            return self._say(200, {"errors": [], "warnings": []})
        if "preupload" in parts:
            asked = json.loads(body)["files"]
            modes = [{"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in asked]
            return self._say(200, {"files": modes})
        if "commit" in parts:
            return self._commit(repo, body)
        return self._say(404, {"error": self.path})

    def _commit(self, repo: str, body: bytes) -> None:
        if self.hub.refuses_commits:
            return self._say(403, {"error": "You have no right to write here"})
        files = dict(self.hub.files[repo])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.hub.commits.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            else:
                assert line["key"] == "deletedFile"
                del files[value["path"]]
        self.hub.files[repo] = files
        return self._say(200, {"commitUrl": f"{self.hub.url}/datasets/{repo}/commit/1", "commitOid": "1" * 40})

    def _parts(self) -> list[str]:
        self.hub.tokens.add(self.headers.get("Authorization"))
        return unquote(urlsplit(self.path).path).strip("/").split("/")

    def _say(self, status: int, told: Any, *, code: str | None = None) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if code is not None:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        self.wfile.write(body)
