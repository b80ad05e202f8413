"""Every string that lands in a history or on the wire.

Changing a value here breaks replay. Add a patch and a new history generation.
"""

from typing import Final

QUEUE_ORCHESTRATOR: Final = "orchestrator-queue"
QUEUE_FINANCE: Final = "finance-tools-queue"
QUEUE_IT: Final = "it-tools-queue"

NAMESPACE_CHAT: Final = "default"
NAMESPACE_FINANCE: Final = "finance-namespace"
NAMESPACE_IT: Final = "it-namespace"

WORKFLOW_CHAT: Final = "ChatWorkflow"
WORKFLOW_STOCK_PRICE: Final = "StockPriceWorkflow"
WORKFLOW_ROI: Final = "RoiWorkflow"
WORKFLOW_IT_SESSION: Final = "ItSessionWorkflow"
WORKFLOW_JIRA_METRICS: Final = "JiraMetricsWorkflow"

UPDATE_SEND_MESSAGE: Final = "send_message"
UPDATE_AWAIT_TURN: Final = "await_turn"
SIGNAL_CANCEL_TURN: Final = "cancel_turn"
SIGNAL_DECIDE: Final = "decide"
SIGNAL_END_CHAT: Final = "end_chat"
SIGNAL_COMPACT: Final = "compact"
# Of a chat and of an IT session
SIGNAL_HAND_OVER: Final = "hand_over"
QUERY_CONVERSATION: Final = "conversation"
QUERY_SETTLED: Final = "settled"
QUERY_TOOLS: Final = "tools"
QUERY_STATUS: Final = "status"
QUERY_OUTCOME: Final = "outcome"
QUERY_MODEL_INPUT: Final = "model_input"

# A turn may be cancelled before it is accepted.
PATCH_CANCEL_FIRST: Final = "cancel-before-accept"

ACTIVITY_CALCULATOR: Final = "calculator"
ACTIVITY_WEATHER: Final = "weather"
ACTIVITY_STOCK_PRICE: Final = "stock_price"
ACTIVITY_ROI: Final = "calculate_roi"
ACTIVITY_JIRA_METRICS: Final = "jira_metrics"
# What the Agents plugin runs: by its type, or by the end of it (of Temporal's own MCP servers, and of stateless ones).
ACTIVITIES_MODEL_CALL: Final = frozenset({"invoke_model_activity", "invoke_model_activity_streaming"})
ACTIVITY_ENDS_LIST_TOOLS: Final = (".list-tools", "-list-tools")
ACTIVITY_ENDS_CALL_TOOL: Final = (".call-tool", "-call-tool", "-call-tool-v2")

# Of an IT session
SIGNAL_SET_JIRA_PROJECT: Final = "set_jira_project"
SIGNAL_TRACK_IP: Final = "track_ip"
QUERY_ANSWER: Final = "answer"
QUERY_JIRA_PROJECT: Final = "jira_project"
QUERY_IP_HISTORY: Final = "ip_history"

# Workflow ids: what comes behind the dash is a key or a session, made safe
ID_STOCK_PRICE: Final = "stock-price-"
ID_ROI: Final = "roi-"
ID_JIRA_METRICS: Final = "jira-metrics-"
ID_IT_SESSION: Final = "it-session-"

MCP_FINANCE: Final = "finance"
MCP_IT: Final = "it"

# The model name that means "no provider": the rule-based model that ships with the project.
MODEL_OFFLINE: Final = "offline"

MEMO_TITLE: Final = "title"
MEMO_MODEL: Final = "model"

# What an approval may name besides tools.
APPROVAL_DESTRUCTIVE: Final = "destructive"
APPROVAL_WRITING: Final = "writing"

# Keys in an MCP call's `_meta` (the protocol asks for a prefix before the slash).
META_IDEMPOTENCY_KEY: Final = "durable-loop/idempotency-key"
META_CHAT: Final = "durable-loop/chat"
