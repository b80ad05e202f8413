"""The foreign agents again, each with one thing changed: what breaks open workflows, and what they would not notice."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from agents import Agent, ModelSettings, Runner
    from temporalio.openai_agents.workflow import activity_as_tool  # pyright: ignore[reportUnknownVariableType]

    from tests.harness import foreign_agents

__all__ = ["BREAKING", "DRIFTING", "STUCK", "LooksForSomebodyElse"]

TEN_SECONDS = timedelta(seconds=10)
HOURLY = RetryPolicy(initial_interval=timedelta(hours=1))


@activity.defn
async def neighbour(name: str) -> str:
    """Say who lives next door."""
    return await foreign_agents.next_door(name)


@activity.defn
async def next_door(name: str, houses: int = 1) -> str:
    """Say who lives some houses on."""
    return f"{name} {houses}"


async def greet(
    wish: str,
    *,
    tools: tuple[object, ...] = (foreign_agents.next_door,),
    instructions: str = "Greet.",
    model: str | None = None,
    settings: ModelSettings | None = None,
) -> str:
    """Do what the greeter does, with something else in it."""
    offered = [activity_as_tool(tool, start_to_close_timeout=TEN_SECONDS) for tool in tools]  # pyright: ignore[reportArgumentType]
    agent = Agent(
        name="greeter",
        instructions=instructions,
        tools=offered,
        model=model,
        model_settings=settings or ModelSettings(),
    )
    return (await Runner.run(agent, wish)).final_output


@workflow.defn(name="GreetsByName")
class WaitsFirst:
    """A timer more."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Wait, then greet."""
        await workflow.sleep(1)
        return await greet(wish)


@workflow.defn(name="GreetsByName")
class HasNoTool:
    """A tool less, which the model called."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(wish, tools=())


@workflow.defn(name="GreetsByName")
class HasANewNameForItsTool:
    """An activity renamed."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(wish, tools=(neighbour,))


@workflow.defn(name="AnswersNextDay")
class TriesFirst:
    """The timer and the activity swapped."""

    @workflow.run
    async def run(self) -> int:
        """Try, then wait."""
        attempt = await workflow.execute_activity(
            foreign_agents.third_time_lucky, start_to_close_timeout=TEN_SECONDS, retry_policy=HOURLY
        )
        await workflow.sleep(timedelta(days=1))
        return attempt


@workflow.defn(name="LooksNextDoor")
class HasANewNameForALocalActivity:
    """A local activity renamed."""

    @workflow.run
    async def run(self) -> str:
        """Return who lives there."""
        return await workflow.execute_local_activity(neighbour, "Zoe", start_to_close_timeout=TEN_SECONDS)


@workflow.defn(name="LooksNextDoor")
class LooksForSomebodyElse:
    """Other arguments of a local activity."""

    @workflow.run
    async def run(self) -> str:
        """Return who lives there."""
        return await workflow.execute_local_activity(
            foreign_agents.next_door, "Max", start_to_close_timeout=TEN_SECONDS
        )


@workflow.defn(name="GreetsByName")
class IsToldMore:
    """Other instructions."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(wish, instructions="Greet.\nIn verse.")


@workflow.defn(name="GreetsByName")
class AsksAnotherModel:
    """Another model, with another setting."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(wish, model="other", settings=ModelSettings(temperature=0.5))


@workflow.defn(name="GreetsByName")
class HasAnotherTool:
    """Another description and schema under the same name."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(wish, tools=(next_door,))


@workflow.defn(name="GreetsByName")
class OffersMore:
    """A tool more, which the model did not know."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(wish, tools=(foreign_agents.next_door, neighbour))


@workflow.defn(name="GreetsByName")
class AddsToWhatIsAsked:
    """Other input, and another result."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet."""
        return await greet(f"{wish}!") + " Bye."


@workflow.defn(name="GivesUp")
class GivesUpElsewhere:
    """Another addressee, another queue, another reason."""

    @workflow.run
    async def run(self) -> None:
        """Give up."""
        await foreign_agents.give_up(neighbour="somebody", queue="elsewhere", why="it is late")


@workflow.defn(name="Relays")
class RelaysSomethingElse:
    """Another answer to an update, other input of a child and of the next run, another signal to the child."""

    def __init__(self) -> None:
        self._greeted = False

    @workflow.run
    async def run(self, rounds: int) -> None:
        """Relay."""
        await workflow.wait_condition(lambda: self._greeted)
        await foreign_agents.relay("Max", "old news", rounds)

    @workflow.update
    def greet(self, name: str) -> str:
        """Greet back."""
        self._greeted = True
        return f"Goodbye {name}"


async def greet_in_a_replay(wish: str) -> str:
    """Do what the greeter does, and fail where nobody has done it before."""
    greeting = await greet(wish)
    if not workflow.unsafe.is_replaying():
        raise KeyError("nothing")
    return greeting


@workflow.defn(name="GreetsByName")
class StumblesWhenItGoesOn:
    """The same commands in a replay; where the history ends it fails."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet, if others have done so before."""
        return await greet_in_a_replay(wish)


@workflow.defn(name="GreetsByName", sandboxed=False)
class StumblesOutsideTheSandbox:
    """The same without a sandbox."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet, if others have done so before."""
        return await greet_in_a_replay(wish)


@workflow.defn(name="GreetsByName")
class IsStuckWhenItGoesOn:
    """The same commands in a replay; where the history ends it does not come to an end."""

    @workflow.run
    async def run(self, wish: str) -> str:
        """Greet, and count, if others have done so before."""
        greeting = await greet(wish)
        while not workflow.unsafe.is_replaying():
            pass
        return greeting


BREAKING = (WaitsFirst, HasNoTool, HasANewNameForItsTool, HasANewNameForALocalActivity, TriesFirst)
DRIFTING = (
    (IsToldMore, ["model call 1 and 1 more: instructions changed:", "+In verse."]),
    (AsksAnotherModel, ['model changed: null → "other"', "model_settings.temperature changed: null → 0.5"]),
    (
        HasAnotherTool,
        [
            'tool next_door: description changed: "Say who lives next door." → "Say who lives some houses on."',
            "tool next_door: params_json_schema.properties.houses changed: new:",
        ],
    ),
    (OffersMore, ['tool neighbour changed: new: {"description": "Say who lives next door."']),
    (
        AddsToWhatIsAsked,
        [
            'input[0].content changed: "I am Ada" → "I am Ada!"',
            'result: result changed: "Hello Ada, hello Grace." → "Hello Ada, hello Grace. Bye."',
        ],
    ),
    (
        GivesUpElsewhere,
        [
            'signal knock (1): workflow changed: "nobody" → "somebody"',
            'activity next_door (1): task queue changed: "(the workflow\'s own)" → "elsewhere"',
            'result: result failure changed: "nobody is there" → "it is late"',
        ],
    ),
    (
        RelaysSomethingElse,
        [
            'update greeting: result changed: "Hello Bob" → "Goodbye Bob"',
            'child workflow Listens (1): argument changed: "Ada" → "Max"',
            'signal hear (1): argument changed: "the news" → "old news"',
            "next run: argument changed: 0 → 1",
        ],
    ),
)
# What becomes of the task that comes next where the history ends.
STUCK = (
    (StumblesWhenItGoesOn, "KeyError: 'nothing'"),
    (StumblesOutsideTheSandbox, "KeyError: 'nothing'"),
    (IsStuckWhenItGoesOn, "it does not come to an end"),
)
