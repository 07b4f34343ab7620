import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { STATUS_KEY } from "../../../components/edge/layout.ts";
import { makeKey } from "../../support/attic-server.ts";
import { forge, signedByPublicKey, unsigned } from "../../contract/support/jwt.ts";
import { randomNumbers } from "../../support/random.ts";
import { TestWorker } from "../../support/worker.ts";
import { claims, CONFIG, FILE, HASH, KEY, now, OBJECTS, SECRET, statusOf, tokenFor } from "./support/edge.ts";

const REQUESTS = 10_500;
const AT_ONCE = 16;

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1e9);

describe(`the edge's Worker: ${REQUESTS} random requests (TEST_SEED=${seed})`, () => {
  let edge: TestWorker;
  before(async () => {
    const objects = { ...OBJECTS, [STATUS_KEY]: JSON.stringify(statusOf()) };
    edge = await TestWorker.start({ config: CONFIG, objects, alone: true });
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
  });

  it("are never a fault, and give nothing private without its token", async function () {
    this.timeout(300_000);
    const random = randomNumbers(seed);
    const statuses = new Map<number, number>();
    let left = REQUESTS;
    const one = async () => {
      const { path, headers, method } = anyRequest(random);
      const about = `${method} ${JSON.stringify(path)} ${JSON.stringify(headers)}`.slice(0, 2000);
      const answer = await edge.raw(path, headers, method).catch((error: unknown) => {
        throw new Error(`${about}: ${String(error)}`);
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      assert.ok(answer.status < 500, `${answer.status} to ${about}`);
      assert.doesNotMatch(answer.body.toString("latin1"), /PRIVATE|team|3434343|5656565/, about);
      assert.ok(!isPrivate(path) || answer.status >= 400, `${answer.status} to ${about}`);
    };
    const worker = async () => {
      while (left-- > 0) await one();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    assert.equal(
      [...statuses.values()].reduce((sum, count) => sum + count, 0),
      REQUESTS,
    );
    // Else this looks at nothing but refusals.
    for (const status of [200, 206, 304, 401, 404, 405, 412, 416])
      assert.ok((statuses.get(status) ?? 0) >= 10, `${statuses.get(status) ?? 0} answers of ${status}`);
  });

  it("are answered with what is private where the token grants it", async () => {
    const random = randomNumbers(seed + 1);
    for (let round = 0; round < 200; round++) {
      const caches = pick(random, [
        { team: { r: 1 } },
        { "*": { r: 1 } },
        { "t*m": { r: 1, w: 0 } },
        { x: {}, "te*": { r: 1 } },
      ]);
      const authorization = inHeader(random, tokenFor(caches));
      const { status, body } = await edge.raw(`/team/nar/${FILE}`, { authorization });
      assert.deepEqual([status, body.toString()], [200, SECRET], authorization);
    }
  });
});

type Random = () => number;

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** Whether a private cache is meant, once a URL has been made of the path as every client and server makes it. */
function isPrivate(path: string): boolean {
  return /^\/team(-2)?\//.test(new URL(`http://host${path}`).pathname);
}

const other = makeKey("RS256");

/** No token here grants anything on a private cache. */
const TOKENS: readonly ((random: Random) => string)[] = [
  () => tokenFor({ main: { r: 1 }, nar: { r: 1 } }),
  () => tokenFor({ "*": { r: 1 }, team: { w: 1 }, "team-2": {} }),
  () => tokenFor({ "x*": { r: 1 } }),
  () => tokenFor({ "*": { r: 1 } }, { exp: now() - 5 }),
  () => tokenFor({ "*": { r: 1 } }, { nbf: now() + 500 }),
  () => tokenFor({ "*": { r: 1 } }, { exp: "never" }),
  () => tokenFor({ "*": { r: 1 }, "b?d": { r: 1 } }),
  () => forge(other, claims({ "*": { r: 1 } })),
  () => forge(KEY, claims({ "*": { r: 1 } }), { crit: ["x"] }),
  () => signedByPublicKey(KEY, claims({ "*": { r: 1 } })),
  () => unsigned({ alg: "none" }, claims({ "*": { r: 1 } })),
  () => forge(KEY, { sub: "x", exp: now() + 60 }),
  (random) => mangled(random, tokenFor({ "*": { r: 1 } })),
  (random) => junk(random, 40),
  (random) => "A".repeat(Math.floor(random() * 30_000)),
  () => "..",
];

/** A good token with one character of what is signed changed, or its end cut off. */
function mangled(random: Random, token: string): string {
  const end = token.lastIndexOf(".");
  const at = Math.floor(random() * end);
  if (random() < 0.3) return token.slice(0, at);
  const changed = token[at] === "A" ? "B" : "A";
  return token.slice(0, at) + changed + token.slice(at + 1);
}

function inHeader(random: Random, token: string): string {
  const user = pick(random, ["", "user", "a b", "ü"]);
  const basic = Buffer.from(`${user}:${token}`).toString("base64");
  return pick(random, [`Bearer ${token}`, `bearer ${token}`, `Basic ${basic}`, `BASIC ${basic}`]);
}

const PARTS = [
  ...[
    "main",
    "team",
    "team-2",
    "nar",
    "unknown",
    "_edge",
    "status",
    "status.json",
    "index",
    "0",
    "..",
    ".",
    "",
  ],
  ...[
    "nix-cache-info",
    `${HASH}.narinfo`,
    FILE,
    `${"z".repeat(32)}.narinfo`,
    `${"1".repeat(52)}-${HASH}.nar`,
  ],
  ...[
    "%2e%2e",
    "%2E",
    "%2f",
    "%5c",
    "%00",
    "%0a",
    "%zz",
    "%",
    "%c0%af",
    "%ff",
    "%E2%80%AE",
    "\\",
    "main%2Fnar",
    "a:b",
  ],
  ...[
    "__proto__",
    "constructor",
    "TEAM",
    "te%61m",
    "team%00",
    "team;x",
    "team%20",
    "x".repeat(300),
    "@",
    "*",
    "%2a",
  ],
] as const;

const RANGES = [
  ...[
    "bytes=0-3",
    "bytes=-2",
    "bytes=5-",
    "bytes=99-",
    "bytes=-0",
    "bytes=3-1",
    "bytes=0-1,4-5",
    "bytes=",
    "x=1-2",
  ],
  ...[
    "bytes=99999999999999999999999999-",
    "bytes=-99999999999999999999999999",
    "bytes=1e3-",
    "bytes=0x0-0x2",
    "bytes=--1",
  ],
] as const;

const CONDITIONS = [
  "*",
  '"x"',
  'W/"x"',
  '"',
  "",
  ",",
  '"a","b"',
  "Thu, 01 Jan 1970 00:00:00 GMT",
  "Fri, 31 Dec 9999 23:59:59 GMT",
  "-1",
];

function anyRequest(random: Random): { path: string; headers: Record<string, string>; method: string } {
  const headers: Record<string, string> = {};
  if (random() < 0.6) headers.authorization = inHeader(random, pick(random, TOKENS)(random));
  else if (random() < 0.2)
    headers.authorization = pick(random, [
      "",
      "Basic",
      "Basic ",
      "Bearer",
      "Digest x",
      "Basic ////",
      "Basic Og==",
    ]);
  if (random() < 0.3) headers.range = random() < 0.8 ? pick(random, RANGES) : `bytes=${junk(random, 8)}`;
  for (const name of ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"])
    if (random() < 0.06) headers[name] = random() < 0.8 ? pick(random, CONDITIONS) : junk(random, 20);
  if (random() < 0.1)
    headers[
      pick(random, ["x-forwarded-for", "x-original-url", "x-rewrite-url", "cf-worker", "accept", "cookie"])
    ] = "/team/";
  return { path: anyPath(random), headers, method: pick(random, METHODS) };
}

const METHODS = [...Array<string>(12).fill("GET"), "GET", "HEAD", "POST", "OPTIONS"];

function anyPath(random: Random): string {
  const last = pick(random, ["nix-cache-info", `${HASH}.narinfo`, `nar/${FILE}`]);
  const kind = random();
  if (kind < 0.2) return `/main/${last}`;
  if (kind < 0.45) return `/${pick(random, ["team", "team-2"])}/${last}`;
  if (kind < 0.5) return pick(random, ["/", "/status", "/status?x", "/?team"]);
  const segments = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
    random() < 0.8 ? pick(random, PARTS) : encodeURI(junk(random, 12)).replaceAll("?", ""),
  );
  return `/${segments.join("/")}${random() < 0.1 ? `?${encodeURIComponent(junk(random, 10))}` : ""}`;
}

/** What can stand in a header: of latin letters and signs, also such as no program sends. */
function junk(random: Random, longest: number): string {
  const codes = Array.from({ length: Math.floor(random() * longest) }, () => 33 + Math.floor(random() * 222));
  return String.fromCharCode(...codes.filter((code) => code < 127 || code > 160));
}
