"""Whether what was seen could have happened one after the other: linearizability of a code's short life.

Many asked at once; each call took effect at one moment between its beginning and its end. `explain` looks for an order
of these moments that the model allows (Wing and Gong's search, with states that were tried before left out).
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from math import inf
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call: what was asked and what was answered; no answer (None) may have taken effect at any time, or never."""

    name: str
    answer: Any
    began: float
    ended: float


@dataclass(frozen=True)
class Code:
    """The model: one code of one account's, and the token it became."""

    consent: bool = True
    stage: str = "none"  # issued, spent, dead
    token: str | None = None


def life_of_a_code(code: Code, call: Call) -> Code | None:
    """The state after the call, or None if this call cannot have this answer now."""
    return _CALLS[call.name](code, call.answer)


def _issue(code: Code, answer: bool) -> Code | None:
    if not answer:
        return None if code.consent else code
    return Code(True, "issued") if code.consent and code.stage == "none" else None


def _redeem(code: Code, answer: str | bool) -> Code | None:
    """answer: the token, or False for a refusal; a refusal after the code was spent is a replay and ends the token."""
    if not answer:
        return Code(code.consent, "dead", code.token) if code.stage in ("spent", "dead") else None
    return Code(code.consent, "spent", str(answer)) if code.stage == "issued" else None


def _use(code: Code, answer: bool) -> Code | None:
    return code if answer == (code.stage == "spent") else None


def _revoke(code: Code, answer: bool) -> Code | None:
    return Code(False, "none" if code.stage == "none" else "dead", code.token)


_CALLS: dict[str, Callable[[Code, Any], Code | None]] = {
    "issue": _issue,
    "redeem": _redeem,
    "use": _use,
    "revoke": _revoke,
}
_COULD_BE = {"issue": [True], "redeem": [False, "unseen"], "revoke": [True], "use": []}

Step = Callable[[Any, Call], Hashable | None]


def explain(calls: Iterable[Call], start: Hashable, step: Step) -> list[Call] | None:
    """An order in which the calls could have happened, or None if there is none."""
    history = sorted(calls, key=lambda call: call.began)
    everything = (1 << len(history)) - 1
    tried: set[tuple[int, Hashable]] = set()
    stack: list[tuple[int, Hashable, list[Call]]] = [(0, start, [])]
    while stack:
        done, state, order = stack.pop()
        if done == everything:
            return order
        if (done, state) in tried:
            continue
        tried.add((done, state))
        open_calls = [n for n in range(len(history)) if not done >> n & 1]
        first_end = min(inf if history[n].answer is None else history[n].ended for n in open_calls)
        for n in open_calls:
            if history[n].began > first_end:  # another one had ended before this one began
                break
            for after in _states_after(state, history[n], step):
                stack.append((done | 1 << n, after, [*order, history[n]]))
    return None


def _states_after(state: Hashable, call: Call, step: Step) -> list[Hashable]:
    """What the state may be; a call without an answer may also have done nothing."""
    if call.answer is not None:
        after = step(state, call)
        return [] if after is None else [after]
    could = (Call(call.name, answer, call.began, inf) for answer in _COULD_BE[call.name])
    return [state, *(after for each in could if (after := step(state, each)) is not None)]
