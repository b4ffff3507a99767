"""One authorization, the holder of its tokens and perhaps a thief, in an order that chance chooses (decision 0026).

The holder keeps the promises that the decision asks of it; the thief keeps none. After every step it is looked at
whether what is promised still holds. Nothing in here knows how the server tells a retry from a reuse.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace

from tests.torture.stepping import Request, Stepped, at_once
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Account, Authorization, Client, RefreshToken
from valetkey.protocol.rules.digest import digest
from valetkey.server import mint
from valetkey.server.authorization_server import AuthorizationServer

START = 1_800_000_000
MINUTE, WINDOW, HOUR = 60, 120, 3600
APART = 30  # seconds that a worker's clock may be before or behind the true time
SECRET = "vk_cs_of_the_app"
OWNER = Account(1, "owner", "owner", "Owner", "", "argon2", START)
APP = Client("app", 1, "App", "web", "oauth21", (), START, (mint.kept(SECRET, START),))
TABS, WORKERS = 3, 2


@dataclass(eq=False)
class Shown:
    """A refresh token on its way to a worker; `stale` says that nobody may be given anything for it any more."""

    token: str
    worker: int
    request: Request
    stale: bool


class Party:
    """Who has tokens: the one heard of last, and those under way."""

    def __init__(self, name: str, newest: str) -> None:
        self.name, self.newest = name, newest
        self.open: list[Shown] = []
        self.since = 0  # when the last one shown was shown first
        self.unheard = self.showed = self.refused = False


class Family:
    """The world of one interleaving."""

    def __init__(self, server: AuthorizationServer, chance: random.Random, stolen: bool) -> None:
        self.chance, self.now, self.apart = chance, START, [0] * WORKERS
        self.store = Stepped()
        self.workers = [
            replace(server, store=self.store, clock=lambda worker=worker: self.now + self.apart[worker])
            for worker in range(WORKERS)
        ]
        first = server.mint.refresh_token(START)
        self.root = Authorization(7, OWNER.id, APP.id, ("basic", "likes"), START)
        kept = RefreshToken(digest(first), self.root, START, START + 30 * 24 * HOUR)
        at_once(self.store.apply((Save(OWNER), Save(APP), Save(self.root), Save(kept))))
        self.holder, self.thief = Party("holder", first), Party("thief", "")
        self.stolen, self.past = stolen, [first]
        self.successors: dict[str, str] = {}
        self.access: list[str] = []
        self.seen: Counter[str] = Counter()

    # --- what can happen ----------------------------------------------------------------------------------------------

    def happen(self) -> None:
        """One thing, whichever chance chooses of what can happen now."""
        could = [self.pass_time, self.set_clock]
        if self.may_show() and not self.holder.refused:
            could += [self.holder_shows] * 3
        if self.holder.open or self.thief.open:
            could += [self.step] * 8
            could.append(self.crash)
        if self.stolen:
            could.append(self.steal)
            if self.thief.newest and len(self.thief.open) < TABS:
                could.append(self.thief_shows)
        self.chance.choice(could)()
        self.look()

    def may_show(self) -> bool:
        """The newest only, none while one before it is under way, and no later than a minute after it was shown."""
        party = self.holder
        one = all(shown.token == party.newest for shown in party.open)
        late = party.unheard and self.now > party.since + MINUTE
        return one and not late and len(party.open) < TABS

    def holder_shows(self) -> None:
        party = self.holder
        if not party.unheard:
            party.since, party.unheard = self.now, True
        elif not party.open:
            self.seen["asked again"] += 1
        self.show(party, party.newest)

    def thief_shows(self) -> None:
        """What was heard of last, or any copy."""
        self.show(
            self.thief,
            self.chance.choice([self.thief.newest, self.thief.newest, self.chance.choice(self.past)]),
        )

    def show(self, party: Party, token: str) -> None:
        worker = self.chance.randrange(WORKERS)
        fields = {
            "grant_type": "refresh_token",
            "client_id": APP.id,
            "client_secret": SECRET,
            "refresh_token": token,
        }
        if self.chance.random() < 0.2:
            fields["scope"] = self.chance.choice(["basic", "likes", "likes basic"])
        party.open.append(Shown(token, worker, Request(self.workers[worker], fields), self.stale(token)))
        party.showed = True

    def stale(self, token: str) -> bool:
        """Whether it was replaced by one that was used, or so long ago that every clock agrees."""
        tables = self.store._tables
        kept, seal = tables.refreshes.get(digest(token)), tables.successors.get(digest(token))
        if kept is None or kept.spent_at is None:
            return False
        after = tables.refreshes.get(seal.successor) if seal else None
        used = after is not None and after.spent_at is not None
        return used or self.now > kept.spent_at + WINDOW + 2 * APART

    def step(self) -> None:
        """Somebody's request goes on; its answer may be lost."""
        party = self.chance.choice([party for party in (self.holder, self.thief) if party.open])
        shown = self.chance.choice(party.open)
        if shown.request.step():
            party.open.remove(shown)
            if self.chance.random() < 0.3:
                self.seen["lost"] += 1
            else:
                self.hear(party, shown)

    def hear(self, party: Party, shown: Shown) -> None:
        reply = shown.request.reply
        assert reply is not None
        if reply.status != 200:
            assert reply.body["error"] == "invalid_grant", reply
            assert self.thief.showed, "the only holder was refused"
            assert self.ended(), "somebody was refused, and the authorization lives"
            party.refused = True
            return
        assert not shown.stale, "something was given for a token that two had used"
        token = str(reply.body["refresh_token"])
        self.seen["told again" if shown.token in self.successors else "rotated"] += 1
        assert self.successors.setdefault(shown.token, token) == token, "a token has two successors"
        self.access.append(str(reply.body["access_token"]))
        if shown.token == party.newest:
            party.newest, party.unheard = token, False
        if party is self.holder and token not in self.past:
            self.past.append(token)

    def crash(self) -> None:
        """A worker ends with all that it was about, and another takes its place."""
        worker = self.chance.randrange(WORKERS)
        for party in (self.holder, self.thief):
            for shown in [shown for shown in party.open if shown.worker == worker]:
                shown.request.drop()
                party.open.remove(shown)
                self.seen["crashed"] += 1

    def pass_time(self) -> None:
        """Seconds while the holder waits for an answer; else perhaps hours."""
        party = self.holder
        if (party.unheard or party.open) and not party.refused:
            self.now += self.chance.randrange(max(1, party.since + MINUTE - self.now + 1))
        else:
            self.now += self.chance.choice([1, 5, 30, 90, 121, 600, HOUR, 9 * HOUR])
        at_once(self.store.clean(self.now - APART - MINUTE, 1000))

    def set_clock(self) -> None:
        self.apart[self.chance.randrange(WORKERS)] = self.chance.randrange(1 - APART, APART)

    def steal(self) -> None:
        """A copy of what the holder has now, or had once."""
        copy = self.chance.choice([self.holder.newest, self.chance.choice(self.past)])
        if not self.thief.newest or self.chance.random() < 0.1:
            self.thief.newest = copy

    # --- what must hold -----------------------------------------------------------------------------------------------

    def ended(self) -> bool:
        root = self.store._tables.roots.get(self.root.id)
        return root is None or root.revoked_at is not None

    def look(self) -> None:
        """No fork: one refresh token can be used, and only one, as long as the authorization lives."""
        tables = self.store._tables
        if self.ended():
            assert self.thief.showed, "access was ended, and nobody but its holder had it"
            assert len(tables.notices) == 1, "nobody was told"
        else:
            unspent = [each for each in tables.refreshes.values() if each.spent_at is None]
            assert len(unspent) == 1, f"{len(unspent)} refresh tokens can be used"
            assert not tables.notices

    def settle(self) -> None:
        """Whatever is under way comes to its end."""
        while self.holder.open or self.thief.open:
            self.step()
            self.look()

    def ask(self, party: Party, later: int) -> None:
        """This one comes back after so long, and hears."""
        self.now += later
        self.show(party, party.newest)
        shown = party.open.pop()
        shown.request.finish()
        self.hear(party, shown)
        self.look()

    def end(self) -> None:
        """The holder alone goes on as ever; of two who both come back, hours apart, the second is found out."""
        self.settle()
        if self.holder.unheard and not self.holder.refused:
            self.ask(self.holder, 0)
        if not self.thief.newest:
            self.ask(self.holder, HOUR)
            assert not self.ended() and not self.holder.refused
            self.seen["alone"] += 1
            return
        self.seen["found before" if self.ended() else "found at last"] += 1
        parties = [self.holder, self.thief]
        self.chance.shuffle(parties)
        for party in parties:
            self.ask(party, WINDOW + 2 * APART + self.chance.randrange(HOUR))
        assert self.ended(), "two used what one was given, and nobody knows"
        for party in parties:
            self.ask(party, self.chance.randrange(HOUR))
            assert party.refused
        self.nothing_lives()

    def close(self) -> None:
        for shown in (*self.holder.open, *self.thief.open):
            shown.request.drop()

    def nothing_lives(self) -> None:
        for token in self.access:
            facts = at_once(self.store.bearer_facts(digest(token)))
            assert facts is None or facts.token.authorization.revoked_at is not None


def interleaving(server: AuthorizationServer, chance: random.Random) -> Counter[str]:
    """One, from the first token to the last; returns what was seen in it."""
    family = Family(server, chance, stolen=chance.random() < 0.6)
    try:
        for _ in range(chance.randrange(10, 60)):
            family.happen()
        family.end()
    finally:
        family.close()
    return family.seen
