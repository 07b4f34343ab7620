import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { decodeJwt, type JWTPayload, jwtVerify } from "jose";
import type { TokenKey } from "../../../components/attic/token.ts";
import { makeKey } from "../../support/attic-server.ts";
import type { CacheRun, CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";

const DAY = 86_400;
const CLAIM = "https://jwt.attic.rs/v1";
const PULL = [{ cache: "main", allow: ["pull" as const] }];
const now = () => Math.floor(Date.now() / 1000);

describe("tokens in a stack", () => {
  let world: CacheWorld;
  let stack: CacheStack;

  before(async () => {
    world = await CacheWorld.start();
    stack = await world.open({
      caches: { main: { name: "main" } },
      tokens: {
        ci: { subject: "ci", permissions: PULL },
        short: { subject: "short", permissions: PULL, validity: "10d", renewBefore: "3d" },
      },
    });
    const { ok, messages } = await stack.up();
    assert.equal(ok, true, messages.join("\n"));
  });
  after(() => world.stop());
  beforeEach(() => {
    world.proxy.forget();
  });

  /** Each token as the stack's outputs have it. */
  const values = (run: CacheRun) =>
    Object.fromEntries(
      Object.entries(run.outputs).flatMap(([name, { value, secret }]) =>
        secret ? [[name, value as string] as const] : [],
      ),
    );
  /** Rewrites the state as if that much were left of a token, in seconds. */
  const leave = async (name: string, left: number) => {
    const state = await stack.state();
    const found = state.deployment.resources?.find(({ urn }) => urn.endsWith(`::${name}`));
    found!.outputs!.expiresAt = new Date((now() + left) * 1000).toISOString();
    await stack.setState(state);
  };
  const isAccepted = async (token: string) =>
    (await world.api.call("GET", "main/nix-cache-info", { token })).status === 200;

  it("say who may do what until when, and neither when they were made nor from when on they hold", async () => {
    const run = await stack.up();
    const { ci, short } = values(run);
    for (const [token, subject, days] of [
      [ci, "ci", 90],
      [short, "short", 10],
    ] as const) {
      const { exp = 0, ...claims } = decodeJwt(token ?? "");
      assert.deepEqual(claims, { sub: subject, [CLAIM]: { caches: { main: { r: 1 } } } });
      assert.ok(Math.abs(exp - now() - days * DAY) < 600, String(exp));
      assert.equal((await stack.resource(subject)).outputs?.expiresAt, new Date(exp * 1000).toISOString());
      assert.equal(await isAccepted(token ?? ""), true);
    }
  });

  it("stay the same where nothing changes, and no server is asked", async () => {
    const before = values(await stack.up());
    const { steps, ...run } = await stack.up();
    assert.deepEqual([steps, values({ steps, ...run }), world.proxy.seen], [[], before, []]);
  });

  for (const [name, threshold, validity] of [
    ["ci", 30 * DAY, 90 * DAY],
    ["short", 3 * DAY, 10 * DAY],
  ] as const) {
    it(`stay while more than ${threshold / DAY} of ${validity / DAY} days are left, and are renewed after that`, async () => {
      await leave(name, threshold + 600);
      assert.deepEqual((await stack.up()).steps, []);
      await leave(name, threshold - 600);
      const preview = await stack.preview();
      assert.deepEqual([preview.steps, preview.changed], [[`update ${name}`], { [name]: ["expiresAt"] }]);
      const before = values(await stack.preview());
      assert.deepEqual(before, {});
      const run = await stack.up();
      assert.deepEqual([run.steps, run.changed], [[`update ${name}`], { [name]: ["expiresAt"] }]);
      const token = values(run)[name] ?? "";
      const { exp = 0 } = decodeJwt(token);
      assert.ok(exp >= now() + validity - 600);
      assert.equal((await stack.resource(name)).outputs?.expiresAt, new Date(exp * 1000).toISOString());
      assert.deepEqual([await isAccepted(token), (await stack.up()).steps], [true, []]);
    });
  }

  it("are renewed when they have ended already", async () => {
    await leave("short", -DAY);
    assert.deepEqual((await stack.up()).steps, ["update short"]);
  });

  it("are made anew where they are to say something else", async () => {
    stack.declared.tokens = {
      ci: { subject: "ci", permissions: [{ cache: "main", allow: ["pull", "push"] }] },
      short: stack.declared.tokens!.short!,
    };
    const run = await stack.up();
    assert.deepEqual([run.steps, run.changed.ci?.length], [["update ci"], 1]);
    assert.deepEqual(decodeJwt(values(run).ci ?? "")[CLAIM], { caches: { main: { r: 1, w: 1 } } });
  });

  for (const algorithm of ["RS256", "HS256"] as const) {
    it(`are all made anew when the signing key changes to another of ${algorithm}, and caches are left alone`, async () => {
      const key = makeKey(algorithm);
      const before = values(await stack.up());
      stack.declared.server.key = key;
      const run = await stack.up();
      assert.deepEqual(run.steps.sort(), ["update ci", "update short"]);
      assert.deepEqual(run.changed, { ci: ["keyId"], short: ["keyId"] });
      assert.deepEqual(world.proxy.seen, []);
      const after = values(run);
      assert.deepEqual(Object.keys(after).sort(), ["ci", "short"]);
      for (const [name, token] of Object.entries(after)) {
        assert.notEqual(token, before[name]);
        assert.equal((await verified(token, key)).sub, name);
        await assert.rejects(verified(token, makeKey(algorithm)));
      }
      assert.deepEqual((await stack.up()).steps, []);
      stack.declared.server.key = world.attic.key;
      const back = values(await stack.up());
      assert.equal(await isAccepted(back.ci ?? ""), true);
    });
  }

  it("are left alone by a refresh, which asks for none", async () => {
    const before = values(await stack.up());
    const { ok, steps } = await stack.refresh();
    assert.deepEqual([ok, steps, world.proxy.calls], [true, [], ["GET main"]]);
    assert.deepEqual(values(await stack.up()), before);
  });

  const good = { subject: "ci", permissions: PULL };
  const wrong: { what: string; token: object; reason: RegExp }[] = [
    {
      what: "a bad pattern",
      token: { ...good, permissions: [{ cache: "ma in", allow: ["pull"] }] },
      reason: /property permissions .*: 0\.cache: expected a cache name or pattern: 1 to 50 of/,
    },
    {
      what: "a validity beyond all calendars",
      token: { ...good, validity: "9999999999y" },
      reason: /property validity .*: expected .* at most 100y/,
    },
    {
      what: "a renewal that is due as soon as it was made",
      token: { ...good, validity: "10d", renewBefore: "10d" },
      reason: /property renewBefore .*: expected less than its validity, 10d/,
    },
  ];
  for (const { what, token, reason } of wrong) {
    it(`are refused in the preview with ${what}, and the rest is left as it is`, async () => {
      const before = stack.declared.tokens;
      stack.declared.tokens = { ...before, wrong: token as never };
      try {
        const { ok, messages } = await stack.preview();
        assert.equal(ok, false);
        const errors = messages.filter((message) => message.includes("expected"));
        assert.equal(errors.length, 1, messages.join("\n"));
        assert.match(errors[0] ?? "", reason);
        assert.match(errors[0] ?? "", /^error: attic:index:AccessToken resource 'wrong': /);
      } finally {
        stack.declared.tokens = before!;
      }
    });
  }
});

describe("tokens for a server that asks who issued them, and for whom", () => {
  let world: CacheWorld;

  before(async () => {
    const jwt = { "token-bound-issuer": "lab", "token-bound-audiences": ["attic", "other"] };
    world = await CacheWorld.start({ toml: { jwt } });
  });
  after(() => world.stop());

  it("are good where both are set, and the administrator's has both too", async () => {
    const bound = { issuer: "lab", audiences: ["other"] };
    const stack = await world.open({
      server: { ...world.server, issuer: "lab", audience: "attic" },
      caches: { main: { name: "main", retention: "7d" } },
      tokens: {
        bound: { subject: "bound", permissions: PULL, ...bound },
        unbound: { subject: "unbound", permissions: PULL },
        other: { subject: "other", permissions: PULL, ...bound, issuer: "elsewhere" },
        nobody: { subject: "nobody", permissions: PULL, ...bound, audiences: ["nobody"] },
      },
    });
    const { ok, outputs, messages } = await stack.up();
    assert.equal(ok, true, messages.join("\n"));
    const statuses: Record<string, number> = {};
    for (const [name, { value }] of Object.entries(outputs)) {
      if (name === "main") continue;
      const { status } = await world.api.call("GET", "main/nix-cache-info", { token: value as string });
      statuses[name] = status;
    }
    assert.deepEqual(statuses, { bound: 200, unbound: 401, other: 401, nobody: 401 });
    const { iss, aud } = decodeJwt(world.proxy.seen[0]?.token ?? "");
    assert.deepEqual([iss, aud], ["lab", ["attic"]]);
  });

  it("are refused where the stack does not say so, and the error says what may be wrong", async () => {
    const stack = await world.open({ caches: { other: { name: "other" } } });
    const { ok, messages } = await stack.up();
    assert.equal(ok, false);
    assert.ok(
      messages.some((message) =>
        /^error: creating the cache other: the server answered 401 Unauthorized: .* The token is not valid for this server \(.*issue.*\)/.test(
          message,
        ),
      ),
      messages.join("\n"),
    );
  });
});

/** @returns the claims of a token. @throws where the key has not signed it. */
async function verified(token: string, { algorithm, secret }: TokenKey): Promise<JWTPayload> {
  const bytes = Buffer.from(secret, "base64");
  const key = algorithm === "HS256" ? bytes : createPublicKey(bytes.toString());
  return (await jwtVerify(token, key, { algorithms: [algorithm] })).payload;
}
