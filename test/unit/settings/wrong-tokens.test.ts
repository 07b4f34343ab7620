import assert from "node:assert/strict";
import { completeToken } from "../../../components/settings/tokens.ts";
import { type Content, settingsOf } from "../../support/stack-files.ts";
import { ALLOWED, refusesEach } from "../../support/wrong-values.ts";

const PULL = [{ cache: "main", allow: ["pull"] }];
const token = (over: Content): Content => ({ tokens: [{ name: "ci", permissions: PULL, ...over }] });
const permission = (over: Content): Content =>
  token({ permissions: [{ cache: "main", allow: ["pull"], ...over }] });
const PATTERN =
  "a text: 1 to 50 of A-Z, a-z, 0-9, -, _ and +, beginning with a letter or digit; * stands for any text and may come first";
const ALLOW =
  "a list of one or more of pull, push, delete, createCache, configureCache, configureRetention, destroyCache";
const VALIDITY = "a whole number with h, d, w or y of at most 100y, such as 90d";
const TEXT = "a text of 1 to 256 characters";
const TIME = "a time with its zone, such as 2027-01-31T08:00:00Z";

describe("a token of the settings", () => {
  it("is for its own name, valid for 90 days, and renewed after two thirds of them", () => {
    assert.deepEqual(settingsOf(token({})).tokens, [
      { name: "ci", subject: "ci", permissions: PULL, validity: "90d", renewBefore: "30d", netrc: [] },
    ]);
  });

  it("is as it was declared, with its permissions in order", () => {
    const declared = {
      name: "ci",
      subject: "ci@example.com",
      permissions: [
        { cache: "team-*", allow: ["push", "pull"] },
        { cache: "main", allow: ["delete"] },
        { cache: "*", allow: ["pull"] },
      ],
      validity: "1y",
      renewBefore: "4w",
      notBefore: "2027-01-31T08:00:00+02:00",
      issuer: "me",
      audiences: ["a", "b"],
      netrc: ["builds", "default"],
    };
    assert.deepEqual(settingsOf({ tokens: [declared] }).tokens, [declared]);
  });

  it("gets the issuer and all audiences that the server demands", () => {
    const server = { tokenIssuer: "attic.example.com", tokenAudiences: ["a", "b"] };
    const [ci] = settingsOf({ ...token({}), server }).tokens;
    assert.deepEqual(
      { issuer: ci?.issuer, audiences: ci?.audiences },
      { issuer: "attic.example.com", audiences: ["a", "b"] },
    );
  });

  it("keeps audiences of its own", () => {
    const server = { tokenAudiences: ["a", "b"] };
    const [ci] = settingsOf({ ...token({ audiences: ["c", "b"] }), server }).tokens;
    assert.deepEqual(ci?.audiences, ["c", "b"]);
  });

  const times: [written: string, time: string][] = [
    ["2027-01-31T08:00:00Z", "2027-01-31T08:00:00Z"],
    ["2027-01-31T08:00:00+02:00", "2027-01-31T08:00:00+02:00"],
    ["2027-01-31 08:00:00 +0000 UTC", "2027-01-31T08:00:00Z"],
    ["2027-01-31 08:00:00 +0200 +0200", "2027-01-31T08:00:00+02:00"],
  ];
  for (const [written, time] of times) {
    it(`begins at ${time} where the CLI hands over ${written}`, () => {
      assert.equal(settingsOf(token({ notBefore: written })).tokens[0]?.notBefore, time);
    });
  }

  const thirds: [validity: string, third: string][] = [
    ["90d", "30d"],
    ["1d", "8h"],
    ["1h", "20m"],
    ["23h", "460m"],
    ["1w", "56h"],
    ["30d", "10d"],
    ["1y", "2920h"],
    ["100y", "292000h"],
    ["999999d", "333333d"],
    ["999998h", "333332h"],
    ["74h", "24h"],
  ];
  for (const [validity, third] of thirds) {
    it(`is renewed ${third} before its end where it is valid for ${validity}`, () => {
      const [ci] = settingsOf(token({ validity: "1h" })).tokens;
      const { renewBefore: _, ...declared } = ci!;
      assert.equal(completeToken({ ...declared, validity }, {}).renewBefore, third);
    });
  }
});

describe("a wrong token", () => {
  refusesEach({
    "a list that is one token": [{ tokens: { name: "ci" } }, "tokens", '{"name":"ci"}', "a list of tokens"],
    "no name": [{ tokens: [{ permissions: PULL }] }, "tokens[0].name", "nothing", ALLOWED.label],
    "a name with a capital": [token({ name: "CI" }), "tokens[0].name", '"CI"', ALLOWED.label],
    "a name of 64 characters": [
      token({ name: "a".repeat(64) }),
      "tokens[0].name",
      `"${"a".repeat(56)}...`,
      ALLOWED.label,
    ],
    "an unknown key": [
      token({ permision: [] }),
      "tokens[0].permision",
      "a key that is not known",
      "did you mean permissions? Known are name, subject, permissions, validity, renewBefore, notBefore, issuer, audiences, netrc",
    ],
    "an empty subject": [token({ subject: "" }), "tokens[0].subject", '""', TEXT],
    "a subject of two lines": [token({ subject: "a\nb" }), "tokens[0].subject", '"a\\nb"', TEXT],
    "no permissions": [
      { tokens: [{ name: "ci" }] },
      "tokens[0].permissions",
      "nothing",
      "a list of 1 to 100 objects with the keys cache and allow",
    ],
    "an empty list of permissions": [
      token({ permissions: [] }),
      "tokens[0].permissions",
      "[]",
      "a list of 1 to 100 objects",
    ],
    "permissions by cache": [
      token({ permissions: { main: ["pull"] } }),
      "tokens[0].permissions",
      '{"main":["pull"]}',
      "a list of 1 to 100 objects",
    ],
    "a permission without a cache": [
      permission({ cache: undefined }),
      "tokens[0].permissions[0].cache",
      "nothing",
      PATTERN,
    ],
    "a pattern with a question mark": [
      permission({ cache: "a?" }),
      "tokens[0].permissions[0].cache",
      '"a?"',
      PATTERN,
    ],
    "a permission to do nothing": [permission({ allow: [] }), "tokens[0].permissions[0].allow", "[]", ALLOW],
    "a permission as a text": [
      permission({ allow: "pull" }),
      "tokens[0].permissions[0].allow",
      '"pull"',
      ALLOW,
    ],
    "a permission in Attic's spelling": [
      permission({ allow: ["pull", "create-cache"] }),
      "tokens[0].permissions[0].allow[1]",
      '"create-cache"',
      "pull, push, delete, createCache, configureCache, configureRetention, destroyCache",
    ],
    "a permission of Object's own": [
      permission({ allow: ["constructor"] }),
      "tokens[0].permissions[0].allow[0]",
      '"constructor"',
      "pull, push",
    ],
    "a permission twice": [
      permission({ allow: ["pull", "push", "pull"] }),
      "tokens[0].permissions[0].allow[2]",
      '"pull"',
      "each permission once, and this one stands at [0]",
    ],
    "a validity in minutes": [token({ validity: "30m" }), "tokens[0].validity", '"30m"', VALIDITY],
    "a validity without end": [token({ validity: "never" }), "tokens[0].validity", '"never"', VALIDITY],
    "a validity of 101 years": [token({ validity: "101y" }), "tokens[0].validity", '"101y"', VALIDITY],
    "a validity as a number": [token({ validity: 90 }), "tokens[0].validity", "90", VALIDITY],
    "a renewal in words": [
      token({ renewBefore: "a month" }),
      "tokens[0].renewBefore",
      '"a month"',
      "a whole number with s, m, h, d, w or y",
    ],
    "a beginning without a zone": [
      token({ notBefore: "2027-01-31T08:00:00" }),
      "tokens[0].notBefore",
      '"2027-01-31T08:00:00"',
      TIME,
    ],
    "a beginning that is a day": [
      token({ notBefore: "2027-01-31" }),
      "tokens[0].notBefore",
      '"2027-01-31"',
      TIME,
    ],
    "a beginning on a day that there is not": [
      token({ notBefore: "2027-02-29T08:00:00Z" }),
      "tokens[0].notBefore",
      '"2027-02-29T08:00:00Z"',
      TIME,
    ],
    "a beginning on such a day, as the CLI writes it": [
      token({ notBefore: "2027-02-29 08:00:00 +0000 UTC" }),
      "tokens[0].notBefore",
      '"2027-02-29 08:00:00 +0000 UTC"',
      TIME,
    ],
    "a beginning before computers count": [
      token({ notBefore: "1969-12-31T23:59:59Z" }),
      "tokens[0].notBefore",
      '"1969-12-31T23:59:59Z"',
      TIME,
    ],
    "a beginning in seconds": [
      token({ notBefore: 1_800_000_000 }),
      "tokens[0].notBefore",
      "1800000000",
      TIME,
    ],
    "no audiences": [token({ audiences: [] }), "tokens[0].audiences", "[]", "a list of 1 to 20 texts"],
    "a namespace as a text": [
      token({ netrc: "builds" }),
      "tokens[0].netrc",
      '"builds"',
      "a list of at most 100 namespaces",
    ],
  });
});
