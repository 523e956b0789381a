"""How an assistant is told of /mcp: what to paste, and where. The key itself is in none of it: our page never knows it again."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

VARIABLE = "BOOKINGFLOW_KEY"
PLACEHOLDER = "bkf_…"  # to be replaced by hand, where a client reads no variables
LIST_TOOLS = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'


@dataclass(frozen=True, slots=True)
class AgentClient:
    """`where` says in a sentence what to do with it; `code` makes it for the address of /mcp."""

    slug: str
    label: str
    where: str
    language: str
    code: Callable[[str], str]


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _claude_code(url: str) -> str:
    return f'claude mcp add --transport http bookingflow {url} \\\n  --header "Authorization: Bearer ${VARIABLE}"'


def _claude_desktop(url: str) -> str:
    """It starts programs alone: one of npm's carries the calls. No blank may stand in an argument, hence the second variable."""
    plain = ["--allow-http"] if url.startswith("http://") else []
    arguments = ["-y", "mcp-remote", url, *plain, "--header", "Authorization:${BOOKINGFLOW_AUTH}"]
    server = {"command": "npx", "args": arguments, "env": {"BOOKINGFLOW_AUTH": f"Bearer {PLACEHOLDER}"}}
    return _json({"mcpServers": {"bookingflow": server}})


def _cursor(url: str) -> str:
    return _json({"mcpServers": {"bookingflow": {"url": url, "headers": {"Authorization": f"Bearer ${{env:{VARIABLE}}}"}}}})


def _vscode(url: str) -> str:
    asked = {"type": "promptString", "id": "bookingflow-key", "description": "BookingFlow API key", "password": True}
    server = {"type": "http", "url": url, "headers": {"Authorization": "Bearer ${input:bookingflow-key}"}}
    return _json({"inputs": [asked], "servers": {"bookingflow": server}})


def _any(url: str) -> str:
    server = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {PLACEHOLDER}"}}
    return _json({"mcpServers": {"bookingflow": server}})


def _curl(url: str) -> str:
    return (
        f'curl -X POST {url} \\\n  -H "Authorization: Bearer ${VARIABLE}" \\\n  -H "Content-Type: application/json" \\\n'
        f"  -H \"Accept: application/json\" \\\n  -d '{LIST_TOOLS}'"
    )


CLIENTS = {
    client.slug: client
    for client in (
        AgentClient("claude-code", "Claude Code", f"In a shell where {VARIABLE} holds the key.", "bash", _claude_code),
        AgentClient(
            "claude-desktop",
            "Claude Desktop",
            "In Settings → Developer → Edit Config, with the key in its place. It needs Node.js; start the app anew afterwards.",
            "json",
            _claude_desktop,
        ),
        AgentClient("cursor", "Cursor", f"In ~/.cursor/mcp.json; it reads the key from {VARIABLE}.", "json", _cursor),
        AgentClient("vscode", "VS Code", "In .vscode/mcp.json; it asks for the key once and keeps it.", "json", _vscode),
        AgentClient(
            "any",
            "Other clients",
            "Most clients read a file like this: Streamable HTTP, with one header. No OAuth.",
            "json",
            _any,
        ),
        AgentClient("curl", "curl", f"In a shell where {VARIABLE} holds the key: it lists the tools of the key.", "bash", _curl),
    )
}
