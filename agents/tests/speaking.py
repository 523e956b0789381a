"""For tests: an agent that speaks the protocol in process, and holds every answer against what its tool promises."""

import json
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator

from agents.shapes import MOST_BYTES
from agents.tools import TOOLS
from developers.models import ApiKey
from developers.presets import PRESETS
from developers.rules import KeyRules
from developers.services import create_key
from organizations.permissions import Scope
from tests.cast import Player

JSON = "application/json"
LEGACY, MODERN = "2025-11-25", "2026-07-28"


class Agent:
    """`version` is that of the protocol."""

    def __init__(self, secret: str, *, version: str = MODERN) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}", "Accept": f"{JSON}, text/event-stream"}
        self.version = version

    def send(self, content: bytes | str, **headers: str) -> Any:
        """A body as it is. `headers` in Python's spelling."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/mcp", content, content_type=JSON, headers={**self.headers, **named})

    def ask(self, method: str, params: dict[str, Any] | None = None, *, id: Any = 1) -> Any:
        """A JSON-RPC call."""
        params = dict(params or {})
        headers = {"mcp_protocol_version": self.version}
        if self.version == MODERN:
            headers |= {"mcp_method": method} | ({"mcp_name": params["name"]} if "name" in params else {})
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            }
        return self.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}), **headers)

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.result("tools/list")["tools"]]

    def result(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.ask(method, params)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()["result"]
        return found

    def call(self, tool: str, **arguments: Any) -> Any:
        """What the tool answers."""
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        content = self._content(result)
        assert not result["isError"], content
        Draft202012Validator(TOOLS[tool].answers).validate(content)
        return content

    def refused(self, tool: str, **arguments: Any) -> Any:
        """The problem that the tool answers."""
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        assert result["isError"], result
        problem = self._content(result)
        assert {"type", "title", "status", "code", "detail", "request_id", "retryable"} <= set(problem)
        return problem

    @staticmethod
    def _content(result: dict[str, Any]) -> Any:
        (text,) = result["content"]
        assert json.loads(text["text"]) == result["structuredContent"]
        assert len(text["text"].encode()) <= MOST_BYTES
        return result["structuredContent"]


def agent(player: Player, *more: Scope, preset: ApiKey.Preset = ApiKey.Preset.AI_AGENT, **rules: Any) -> Agent:
    """With a key of the preset, or of its scopes and `more`."""
    return Agent(secret_of(player, *more, preset=preset, **rules))


def secret_of(player: Player, *more: Scope, preset: ApiKey.Preset = ApiKey.Preset.AI_AGENT, **rules: Any) -> str:
    chosen: dict[str, Any] = {"preset": preset}
    if more:
        chosen = {"preset": ApiKey.Preset.CUSTOM, "scopes": [*PRESETS[preset], *more]}
    return create_key(by=player.actor, name="Agent", rules=KeyRules(**rules), **chosen)[1]
