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

UPDATE_SEND_MESSAGE: Final = "send_message"
SIGNAL_CANCEL_TURN: Final = "cancel_turn"
SIGNAL_END_CHAT: Final = "end_chat"
QUERY_TRANSCRIPT: Final = "transcript"
QUERY_STATUS: Final = "status"
QUERY_MODEL_INPUT: Final = "model_input"

ACTIVITY_CALCULATOR: Final = "calculator"
ACTIVITY_WEATHER: Final = "weather"

MCP_FINANCE: Final = "finance"
MCP_IT: Final = "it"

# The model name that means "no provider": the rule-based model that ships with the project.
MODEL_OFFLINE: Final = "offline"

MEMO_TITLE: Final = "title"

# Keys in an MCP call's `_meta` (the protocol asks for a prefix before the slash).
META_IDEMPOTENCY_KEY: Final = "durable-loop/idempotency-key"
META_CHAT: Final = "durable-loop/chat"
