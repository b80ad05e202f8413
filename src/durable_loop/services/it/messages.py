"""What crosses the IT service's boundaries, in and out."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = [
    "Answer",
    "IpHistory",
    "ItSessionState",
    "JiraMetricsRequest",
    "JiraProject",
    "ProjectMetrics",
    "SetJiraProject",
    "TrackIp",
    "TrackedIp",
]


class SetJiraProject(BaseModel):
    """Make `project` the session's JIRA project, once per key."""

    model_config = ConfigDict(frozen=True)

    project: str
    key: str


class TrackIp(BaseModel):
    """Track one more IP address, once per key."""

    model_config = ConfigDict(frozen=True)

    key: str


class JiraProject(BaseModel):
    """The session's JIRA project after it was set."""

    model_config = ConfigDict(frozen=True)

    project: str = Field(description="The JIRA project that the session works on.")


class TrackedIp(BaseModel):
    """One IP address and when it was seen."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(description="Its place among all that were tracked in the session, from 1.")
    address: str = Field(description="The IP address.")
    tracked_at: AwareDatetime = Field(description="When it was tracked, ISO 8601 with zone.")
    source: str = Field(default="demo", description='Where the address comes from; "demo" means made up.')


class IpHistory(BaseModel):
    """The IP addresses tracked in a session, oldest first."""

    model_config = ConfigDict(frozen=True)

    addresses: tuple[TrackedIp, ...] = Field(default=(), description="The addresses; only the newest are kept.")
    tracked: int = Field(default=0, description="How many were tracked in all.")


class JiraMetricsRequest(BaseModel):
    """Which project's metrics are asked for."""

    model_config = ConfigDict(frozen=True)

    project: str


class ProjectMetrics(BaseModel):
    """How a JIRA project is doing."""

    model_config = ConfigDict(frozen=True)

    project: str = Field(description="The JIRA project.")
    open_issues: int = Field(description="Issues that nobody has started.")
    in_progress: int = Field(description="Issues being worked on.")
    closed_issues: int = Field(description="Issues that are done.")
    days_to_close: float = Field(description="Days from opening an issue to closing it, on average.")
    source: str = Field(description='Where the numbers come from; "demo" means made up.')


# What a change left behind: the answer to it, and to the same change sent again.
Answer = JiraProject | TrackedIp


class ItSessionState(BaseModel):
    """An IT session between two runs; the default is a new one."""

    model_config = ConfigDict(frozen=True)

    project: str | None = None
    history: IpHistory = IpHistory()
    answers: dict[str, Answer] = {}
