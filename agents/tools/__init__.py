"""Every tool of /mcp, by its name."""

from agents.tools import bookings, more, rooms
from agents.tools.tool import Tool

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (*rooms.TOOLS, *bookings.TOOLS, *more.TOOLS)}
