"""The protocol's side of /mcp, by its official SDK. One server for all: whose call it is stands in the call's own scope."""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from functools import partial
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ToolDescription

from agents.caller import Caller, Refused
from agents.shapes import CAUTION, fitted
from agents.tools import TOOLS
from agents.tools.tool import Tool
from developers.problems import to_domain_error
from developers.renderers import to_bytes

EXCHANGE = "bookingflow.exchange"  # of a scope
VERSION = "1.0.0"  # of the API
INSTRUCTIONS = f"""\
Finds and books games (escape rooms and the like) of one organization.

The way: search_rooms or get_availability, then quote_booking; read the quote's `sentence` to the person; after their yes \
hold_booking and confirm_booking. Before a change or a cancellation: preview_change, read, yes.
Days and clock times are the venue's; every time is given in UTC, by the venue's clock and in words. Amounts are integers in \
minor units with a text beside them.
`from_customer`: {CAUTION}
A refusal is a problem with a `code`; `reasons`, `alternatives` and `errors` say what would work. search_docs explains codes."""


def described(tool: Tool) -> ToolDescription:
    hints = ToolAnnotations(
        read_only_hint=tool.reads, destructive_hint=tool.destroys, idempotent_hint=tool.repeats, open_world_hint=False
    )
    return ToolDescription(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes,
        output_schema=tool.answers,
        annotations=hints,
    )


DESCRIPTIONS = {name: described(tool) for name, tool in TOOLS.items()}


class Exchange:
    """One message of the caller's, with its answer. The tool that it calls works in the thread of the request, whose database
    connection it is, while the SDK's loop stands still and waits for the result.
    """

    def __init__(self, caller: Caller, loop: AbstractEventLoop) -> None:
        self.caller = caller
        self.work: Future[Callable[[], CallToolResult]] = loop.create_future()
        self.result: Future[CallToolResult] = loop.create_future()


def _exchange(context: ServerRequestContext[Any, Any]) -> Exchange:
    assert context.request is not None  # over HTTP there always is one
    found: Exchange = context.request.scope[EXCHANGE]
    return found


async def list_tools(context: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None) -> ListToolsResult:
    """Those that the key may call."""
    caller = _exchange(context).caller
    return ListToolsResult(tools=[DESCRIPTIONS[name] for name, tool in TOOLS.items() if caller.may(*tool.scopes)])


async def call_tool(context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> CallToolResult:
    tool = TOOLS.get(params.name)
    if tool is None:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:80]}")
    exchange = _exchange(context)
    exchange.work.set_result(partial(run, exchange.caller, tool, params.arguments or {}))
    return await exchange.result


def run(caller: Caller, tool: Tool, arguments: dict[str, Any]) -> CallToolResult:
    """What it answers, or why not, as a problem that the model can read. A tool that the key is not shown the API refuses."""
    caller.tool = tool.name
    try:
        tool.check(arguments)
        return _result(tool.run(caller, arguments))
    except Refused as refusal:
        return _result(fitted(refusal.problem), is_error=True)
    except Exception as error:
        return _result(fitted(caller.problem(to_domain_error(error))), is_error=True)


def _result(content: dict[str, Any], *, is_error: bool = False) -> CallToolResult:
    """As text too: some clients read nothing else."""
    return CallToolResult(content=[TextContent(text=to_bytes(content).decode())], structured_content=content, is_error=is_error)


SERVER: Server[Any] = Server(
    "bookingflow",
    title="BookingFlow",
    version=VERSION,
    instructions=INSTRUCTIONS,
    on_list_tools=list_tools,
    on_call_tool=call_tool,
    get_tool_input_schema=lambda name: TOOLS[name].takes if name in TOOLS else None,
)
