"""Requests that were written before the offline model and never tuned against: its honest measure.

Do not fix a rule for the sake of one of these; write a paraphrase of your own instead.
"""

from tests.unit.models.helpers import Call

__all__ = ["HELD_OUT"]


def _calculate(expression: str) -> list[Call]:
    return [("calculator", {"expression": expression})]


def _weather(*cities: str) -> list[Call]:
    return [("weather", {"city": city}) for city in cities]


def _price(*tickers: str) -> list[Call]:
    return [("stock_price", {"ticker": ticker}) for ticker in tickers]


def _roi(principal: float, rate: float, years: float) -> list[Call]:
    return [("calculate_roi", {"principal": principal, "rate": rate, "years": years})]


def _project(project: str) -> list[Call]:
    return [("set_jira_project", {"project": project})]


_METRICS: list[Call] = [("get_jira_metrics", {})]
_TRACK: list[Call] = [("track_ip", {})]
_HISTORY: list[Call] = [("get_ip_history", {})]
_NOTHING: list[Call] = []

# Expressions are compared without spaces.
HELD_OUT: list[tuple[str, list[Call]]] = [
    ("how much is 144 divided by 12?", _calculate("144 / 12")),
    ("What's 7 times 8", _calculate("7 * 8")),
    ("compute (3 + 4) * 5 please", _calculate("(3 + 4) * 5")),
    ("2^10", _calculate("2 ** 10")),
    ("could you work out 99 - 45.5 for me?", _calculate("99 - 45.5")),
    ("add 12 and 30", _calculate("12 + 30")),
    ("What is 18% of 250?", _calculate("(18 / 100) * 250")),
    ("I need the product of 6 and 9", _calculate("6 * 9")),
    ("1,250 / 4 = ?", _calculate("1250 / 4")),
    ("what do I get when I multiply 13 by 17", _calculate("13 * 17")),
    ("what is three plus four", _calculate("3 + 4")),
    ("Hey, can you tell me what 45 minus 17 is?", _calculate("45 - 17")),
    ("Will it rain in Seattle?", _weather("Seattle")),
    ("how's the weather in San Francisco today?", _weather("San Francisco")),
    ("temperature in Berlin", _weather("Berlin")),
    ("Tokyo weather", _weather("Tokyo")),
    ("do I need an umbrella in London?", _weather("London")),
    ("what is the forecast for Rio de Janeiro", _weather("Rio de Janeiro")),
    ("Is it hot in Cairo right now?", _weather("Cairo")),
    ("weather paris", _weather("Paris")),
    ("tell me the weather conditions for Zürich", _weather("Zürich")),
    ("What's it like outside in Oslo?", _weather("Oslo")),
    ("give me the weather for Paris and Rome", _weather("Paris", "Rome")),
    ("AAPL stock price", _price("AAPL")),
    ("what is MSFT trading at", _price("MSFT")),
    ("How is TSLA doing?", _price("TSLA")),
    ("price of GOOG please", _price("GOOG")),
    ("how much does a share of NVDA cost?", _price("NVDA")),
    ("quote for AMZN", _price("AMZN")),
    ("look up the ticker IBM", _price("IBM")),
    ("What are AAPL and MSFT at?", _price("AAPL", "MSFT")),
    ("stock price for tsla", _price("TSLA")),
    ("is NFLX up today?", _price("NFLX")),
    ("what's the ROI on $5,000 at 7% over 20 years?", _roi(5000, 7, 20)),
    ("If I invest 2500 dollars at 4 percent for 3 years, what do I get?", _roi(2500, 4, 3)),
    ("How much will $1k grow to in 15 years at 6%?", _roi(1000, 6, 15)),
    ("return on investment: principal 8000, rate 3.5, years 12", _roi(8000, 3.5, 12)),
    ("compute roi for 10k at 5% for ten years", _roi(10000, 5, 10)),
    ("I put $20,000 away for 5 years at 2.5% interest. What will I have?", _roi(20000, 2.5, 5)),
    ("Switch the JIRA project to OPS-7", _project("OPS-7")),
    ("use JIRA project ABC-99", _project("ABC-99")),
    ("please change my project to WEB-1", _project("WEB-1")),
    ("make DEMO-5 the current jira project", _project("DEMO-5")),
    ("I want to work on project CORE-12, set it", _project("CORE-12")),
    ("set project = INFRA-2", _project("INFRA-2")),
    ("show the jira metrics", _METRICS),
    ("How is the JIRA project doing?", _METRICS),
    ("what are the project metrics?", _METRICS),
    ("Give me the metrics for my project", _METRICS),
    ("jira stats please", _METRICS),
    ("record my IP", _TRACK),
    ("please log my current IP address", _TRACK),
    ("can you track my ip?", _TRACK),
    ("save my IP address", _TRACK),
    ("list the tracked IP addresses", _HISTORY),
    ("what IPs have been tracked so far?", _HISTORY),
    ("ip history", _HISTORY),
    ("Which addresses did you record?", _HISTORY),
    ("show all my previous IPs", _HISTORY),
    ("Compute 6*7 and then tell me the weather in Lima", [*_calculate("6 * 7"), *_weather("Lima")]),
    ("Get the price of AAPL; also show the IP history.", [*_price("AAPL"), *_HISTORY]),
    ("What's 10 + 5? And what is MSFT trading at?", [*_calculate("10 + 5"), *_price("MSFT")]),
    ("Tell me a joke", _NOTHING),
    ("who wrote Hamlet?", _NOTHING),
    ("Write a poem about the sea", _NOTHING),
    ("What's the weather?", _NOTHING),
    ("What is the capital of France?", _NOTHING),
    ("Order me a pizza", _NOTHING),
    ("my favourite number is 7", _NOTHING),
    ("good morning!", _NOTHING),
    # A second batch, written after the first version ran and before anything was tuned.
    ("What would 64 / 8 be?", _calculate("64 / 8")),
    ("can u calculate 3.5 * 2", _calculate("3.5 * 2")),
    ("12 times 12", _calculate("12 * 12")),
    ("tell me the result of 81 divided by 9", _calculate("81 / 9")),
    ("Add 5, 6 and 7 together", _calculate("5 + 6 + 7")),
    ("how much is 20% of 90", _calculate("(20 / 100) * 90")),
    ("I have 3 boxes with 12 eggs, what is 3*12?", _calculate("3 * 12")),
    ("Evaluate ((2+3)*4)/5", _calculate("((2 + 3) * 4) / 5")),
    ("what's the difference between 100 and 37", _calculate("100 - 37")),
    ("is it cold in Reykjavik", _weather("Reykjavik")),
    ("Weather report for Mexico City please", _weather("Mexico City")),
    ("What are the current conditions in Denver?", _weather("Denver")),
    ("how warm is it in madrid", _weather("Madrid")),
    ("I'm flying to Dublin, what's the weather there?", _weather("Dublin")),
    ("Should I take a coat in Chicago?", _weather("Chicago")),
    ("is there snow in Denver and Boston?", _weather("Denver", "Boston")),
    ("Could I get the weather for Hong Kong?", _weather("Hong Kong")),
    ("what's the current price of META?", _price("META")),
    ("how much is ORCL right now", _price("ORCL")),
    ("Show me INTC", _price("INTC")),
    ("give me a quote on AMD", _price("AMD")),
    ("I'd like the stock prices of JPM and GS", _price("JPM", "GS")),
    ("what is one share of V worth", _price("V")),
    ("ticker: DIS", _price("DIS")),
    ("What return do I get on 5000 dollars over 6 years at 4%?", _roi(5000, 4, 6)),
    ("ROI for 1500 at 3.2 percent, 8 years", _roi(1500, 3.2, 8)),
    ("invest $750 for 2 years with a rate of 6%", _roi(750, 6, 2)),
    ("What will 10,000 dollars be worth after 30 years at 7% per year?", _roi(10000, 7, 30)),
    ("calculate the return on investment of €2000 with 5% interest for 4 years", _roi(2000, 5, 4)),
    ("Select project TEAM-3 in JIRA", _project("TEAM-3")),
    ("my jira project should be ACME-10", _project("ACME-10")),
    ("the JIRA project is now QA-8, please switch", _project("QA-8")),
    ("What do the JIRA numbers look like?", _METRICS),
    ("fetch metrics from jira", _METRICS),
    ("how many issues are in the metrics", _METRICS),
    ("store my current IP", _TRACK),
    ("Track IP", _TRACK),
    ("I want you to remember my IP address, track it", _TRACK),
    ("let me see the IP log", _HISTORY),
    ("Show the list of IP addresses", _HISTORY),
    ("display ip address history", _HISTORY),
    ("when was my IP tracked?", _HISTORY),
    ("AAPL price and 5*5", [*_price("AAPL"), *_calculate("5 * 5")]),
    ("I need two things: the weather in Vienna and the stock price of SAP", [*_weather("Vienna"), *_price("SAP")]),
    ("Get JIRA metrics, the IP history and the weather in Bern", [*_METRICS, *_HISTORY, *_weather("Bern")]),
    ("What's the meaning of life?", _NOTHING),
    ("translate hello into French", _NOTHING),
    ("my name is Grace", _NOTHING),
    ("Do you like music?", _NOTHING),
    ("delete the JIRA project", _NOTHING),
]
