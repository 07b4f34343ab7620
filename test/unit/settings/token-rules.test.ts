import assert from "node:assert/strict";
import type { Mistake } from "../../../components/settings/mistakes.ts";
import { content, type Content, parse } from "../../support/stack-files.ts";

const allow = (cache: string, ...permissions: string[]): Content => ({ cache, allow: permissions });
const pulls = (...caches: string[]): Content => ({
  name: "ci",
  permissions: caches.map((cache) => allow(cache, "pull")),
});

function accepts(what: string, tokens: Content[], server: Content = {}): void {
  it(`accepts ${what}`, () => {
    assert.deepEqual(parse(content({ tokens, server })).mistakes, undefined);
  });
}

function refuses(what: string, tokens: Content[], server: Content, ...mistakes: Mistake[]): void {
  it(`refuses ${what}`, () => {
    assert.deepEqual(parse(content({ tokens, server })).mistakes, mistakes);
  });
}

describe("the rule that tokens have their own names", () => {
  accepts("two names for one subject", [
    { ...pulls("a"), name: "one", subject: "ci" },
    { ...pulls("a"), name: "two", subject: "ci" },
  ]);
  refuses(
    "a name twice",
    [pulls("a"), { ...pulls("a"), name: "b" }, pulls("c")],
    {},
    {
      key: "tokens[2].name",
      found: '"ci"',
      allowed: "a name of its own, because tokens[0] has this one",
    },
  );
});

describe("the rule that every permission can apply", () => {
  const behind = (key: string, cache: string, first: number): Mistake => ({
    key,
    found: `"${cache}"`,
    allowed: `a pattern that can match first: permissions[${first}] matches all that this one does, so it has to stand after it`,
  });
  accepts("the narrower pattern first", [pulls("team-a-*", "team-*", "*")]);
  accepts("a name behind a pattern, because names are looked up first", [pulls("*", "main", "team-a")]);
  accepts("patterns of which neither has all of the other", [pulls("a*", "*b", "*b*")]);
  refuses(
    "a pattern behind all",
    [pulls("*", "main", "team-*")],
    {},
    behind("tokens[0].permissions[2].cache", "team-*", 0),
  );
  refuses(
    "a narrower pattern behind",
    [pulls("x", "a*", "a*b")],
    {},
    behind("tokens[0].permissions[2].cache", "a*b", 1),
  );
  refuses(
    "the same in two stars",
    [pulls("a*", "a**")],
    {},
    behind("tokens[0].permissions[1].cache", "a**", 0),
  );
  refuses(
    "a cache twice",
    [{ name: "ci", permissions: [allow("main", "pull"), allow("*", "pull"), allow("main", "push")] }],
    {},
    {
      key: "tokens[0].permissions[2].cache",
      found: '"main"',
      allowed: "each cache and pattern once, and this one stands in permissions[0]",
    },
  );
  refuses(
    "a pattern twice, as one mistake",
    [pulls("team-*", "team-*")],
    {},
    {
      key: "tokens[0].permissions[1].cache",
      found: '"team-*"',
      allowed: "each cache and pattern once, and this one stands in permissions[0]",
    },
  );
});

describe("the rule that a token is not renewed at once", () => {
  accepts("a renewal just within its validity", [{ ...pulls("a"), validity: "1h", renewBefore: "59m" }]);
  for (const renewBefore of ["1h", "60m", "2h"])
    refuses(
      `a renewal ${renewBefore} before the end of an hour`,
      [{ ...pulls("a"), validity: "1h", renewBefore }],
      {},
      {
        key: "tokens[0].renewBefore",
        found: `"${renewBefore}"`,
        allowed: "less than tokens[0].validity, which is 1h: else every `pulumi up` would renew it",
      },
    );
  refuses(
    "a renewal as long before as the default validity",
    [{ ...pulls("a"), renewBefore: "90d" }],
    {},
    {
      key: "tokens[0].renewBefore",
      found: '"90d"',
      allowed: "less than tokens[0].validity, which is 90d: else every `pulumi up` would renew it",
    },
  );
});

describe("the rule that a token is what the server demands", () => {
  const server = { tokenIssuer: "attic", tokenAudiences: ["a", "b"] };
  accepts("neither issuer nor audiences", [pulls("a")], server);
  accepts(
    "the server's issuer and one of its audiences",
    [{ ...pulls("a"), issuer: "attic", audiences: ["x", "b"] }],
    server,
  );
  accepts("any where the server demands none", [{ ...pulls("a"), issuer: "me", audiences: ["x"] }]);
  refuses(
    "another issuer, and audiences that are all others",
    [pulls("a"), { ...pulls("a"), name: "b", issuer: "me", audiences: ["x", "y"] }],
    server,
    {
      key: "tokens[1].issuer",
      found: '"me"',
      allowed:
        '"attic", because server.tokenIssuer is the only one that the server takes; a token without an issuer gets it',
    },
    {
      key: "tokens[1].audiences",
      found: '["x","y"]',
      allowed: 'one of server.tokenAudiences at least, ["a","b"]; a token without audiences gets them all',
    },
  );
});

describe("the rules for a netrc", () => {
  accepts("several namespaces, for pull or push", [
    { ...pulls("a"), netrc: ["one", "two"] },
    { name: "b", permissions: [allow("a", "delete"), allow("b", "push")], netrc: ["three"] },
  ]);
  refuses(
    "a token that neither pulls nor pushes",
    [{ name: "ci", permissions: [allow("a", "delete", "createCache")], netrc: ["builds"] }],
    {},
    {
      key: "tokens[0].netrc",
      found: '["builds"]',
      allowed: "nothing, because the token allows neither pull nor push on any cache",
    },
  );
  refuses(
    "two tokens for a namespace",
    [
      { ...pulls("a"), netrc: ["one", "two"] },
      { ...pulls("a"), name: "b", netrc: ["two"] },
    ],
    {},
    {
      key: "tokens[1].netrc[0]",
      found: '"two"',
      allowed:
        "another namespace, because tokens[0].netrc[1] names this one and a netrc has one token for a server",
    },
  );
  refuses(
    "a namespace twice",
    [{ ...pulls("a"), netrc: ["one", "one"] }],
    {},
    {
      key: "tokens[0].netrc[1]",
      found: '"one"',
      allowed:
        "another namespace, because tokens[0].netrc[0] names this one and a netrc has one token for a server",
    },
  );
});
