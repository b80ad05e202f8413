"""An agent that is not ours, with the tools of an MCP server."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from agents import Agent, Runner
    from temporalio.openai_agents.workflow import temporal_mcp_server

__all__ = ["TakesNotes"]


@workflow.defn
class TakesNotes:
    """One agent with an MCP server."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Return the answer."""
        agent = Agent(name="secretary", mcp_servers=[temporal_mcp_server("notes")])
        return (await Runner.run(agent, wish)).final_output
