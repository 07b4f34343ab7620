import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { EVERYTHING, type Permissions, toClaim } from "../../../components/attic/permissions.ts";
import { signToken, type TokenKey } from "../../../components/attic/token.ts";
import { makeKey } from "../../support/attic-server.ts";
import type { CacheRun } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import type { Declared } from "../../support/declared.ts";
import { testSandbox } from "../../support/sandbox.ts";

const MADE = ["POST main", "PATCH main"];
/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:1/";
const now = () => Math.floor(Date.now() / 1000);

describe("the way to the server", () => {
  let world: CacheWorld;
  let strangers: TokenKey;

  before(async () => {
    world = await CacheWorld.start();
    strangers = makeKey("RS256");
  });
  after(() => world.stop());
  beforeEach(() => {
    world.proxy.forget();
  });
  afterEach(async () => {
    await world.api.destroy(...(await world.api.names()));
  });

  const tokenOf = (permissions: Permissions, expiresAt = now() + 600) =>
    signToken(world.attic.key, { subject: "person", permissions, expiresAt });
  const open = async (server: Partial<Declared["server"]>, env: Record<string, string> = {}) =>
    await world.open(
      {
        server: { ...world.server, ...server },
        caches: { main: { name: "main", retention: "7d" } },
        tokens: { ci: { subject: "ci", permissions: [{ cache: "main", allow: ["pull"] }] } },
      },
      { env },
    );
  /** Checks that it failed, and by a single error beside the engine's own. */
  const errorOf = ({ ok, messages }: CacheRun) => {
    assert.equal(ok, false);
    const errors = messages.filter(
      (message) => message !== "error: update failed" && !message.startsWith("info: "),
    );
    assert.equal(errors.length, 1, messages.join("\n"));
    return errors[0] ?? "";
  };

  it("is the endpoint, with an administrator's token that holds for minutes and says neither iat nor nbf", async () => {
    const { ok } = await (await open({})).up();
    assert.deepEqual([ok, world.proxy.calls], [true, MADE]);
    for (const { token, at } of world.proxy.seen) {
      const { exp = 0, ...claims } = decodeJwt(token);
      const left = exp - at / 1000;
      assert.ok(left > 10 * 60 && left < 20 * 60, `${left} s left`);
      assert.deepEqual(claims, {
        sub: "attic-stack",
        "https://jwt.attic.rs/v1": toClaim({ "*": EVERYTHING }),
      });
    }
  });

  for (const [form, address] of [
    ["", (url: string) => url],
    [" without its last slash", (url: string) => url.slice(0, -1)],
  ] as const) {
    it(`is ATTIC_SERVER_URL${form} where it is set, and what clients are told stays the endpoint`, async () => {
      const stack = await open({ endpoint: NOWHERE }, { ATTIC_SERVER_URL: address(world.proxy.url) });
      const { ok, outputs, messages } = await stack.up();
      assert.deepEqual([ok, world.proxy.calls], [true, MADE]);
      assert.deepEqual(messages, [
        "info: ATTIC_SERVER_URL comes from the environment, before what the stack says.",
      ]);
      const { substituter, apiEndpoint } = outputs.main?.value as Record<string, string>;
      assert.deepEqual([substituter, apiEndpoint], [`${NOWHERE}main`, NOWHERE]);
      assert.equal((await stack.resource("attic")).outputs?.endpoint, NOWHERE);
    });
  }

  it("is ATTIC_SERVER_URL with a path before which something else stands", async () => {
    const stack = await open({ endpoint: NOWHERE }, { ATTIC_SERVER_URL: `${world.proxy.url}below` });
    world.proxy.fault = (_seen, response) => (response.writeHead(400).end(), true);
    await stack.up();
    world.proxy.fault = () => false;
    assert.deepEqual(
      world.proxy.seen.map(({ path }) => path),
      ["/below/_api/v1/cache-config/main"],
    );
  });

  it("is asked with ATTIC_ADMIN_TOKEN where it is set, while tokens are signed by the stack's own key", async () => {
    const given = await tokenOf({ main: ["createCache", "configureCache", "configureRetention"] });
    const stack = await open({ key: strangers }, { ATTIC_ADMIN_TOKEN: `${given}\n` });
    assert.equal((await stack.up()).ok, true);
    assert.deepEqual(
      world.proxy.seen.map(({ token }) => token === given),
      [true, true],
    );
  });

  it("is both where both are set, and without them nothing changes", async () => {
    const env = { ATTIC_SERVER_URL: world.proxy.url, ATTIC_ADMIN_TOKEN: await tokenOf({ "*": EVERYTHING }) };
    const stack = await open({ endpoint: NOWHERE, key: strangers }, env);
    const { ok, messages } = await stack.up();
    assert.deepEqual(
      [ok, messages],
      [
        true,
        [
          "info: ATTIC_SERVER_URL and ATTIC_ADMIN_TOKEN come from the environment, before what the stack says.",
        ],
      ],
    );
    assert.deepEqual(world.proxy.calls, MADE);
    const inputs = JSON.stringify(await stack.state());
    for (const value of Object.values(env)) assert.equal(inputs.includes(value), false);
  });

  it("is asked with nothing else than what ATTIC_ADMIN_TOKEN grants, and what is missing is named", async () => {
    const may = async (permissions: Permissions) => {
      const stack = await open({}, { ATTIC_ADMIN_TOKEN: await tokenOf(permissions) });
      return await stack.up();
    };
    const forbidden =
      "the server answered 403 AccessError: Access error: User does not have permission to complete this action.";
    assert.equal(
      errorOf(await may({ main: ["pull"] })),
      `error: creating the cache main: ${forbidden} The token lacks the permission createCache on this cache.`,
    );
    assert.equal(
      errorOf(await may({ main: ["createCache", "configureRetention"] })),
      `error: 1 error occurred:\n\t* the cache was made, and its retention not set: configuring the cache main: ${forbidden} The token lacks the permission configureCache or configureRetention on this cache; both are needed.`,
    );
  });

  it("is never what a person's shell has for a run of theirs, where the run is the sandbox's", async () => {
    const { ATTIC_SERVER_URL, ATTIC_ADMIN_TOKEN } = (await testSandbox()).env;
    assert.deepEqual([ATTIC_SERVER_URL, ATTIC_ADMIN_TOKEN], ["", ""]);
  });

  it("is refused with an ATTIC_ADMIN_TOKEN that has ended", async () => {
    const ended = await tokenOf({ "*": EVERYTHING }, now() - 60);
    assert.equal(
      errorOf(await (await open({}, { ATTIC_ADMIN_TOKEN: ended })).up()),
      "error: creating the cache main: the server answered 401 Unauthorized: Unauthorized. The token is not valid for this server (signed by another key, ended, not begun, or with another issuer or audience), or grants nothing on this cache; createCache is needed.",
    );
    assert.equal(world.proxy.seen.length, 1);
  });

  for (const url of ["cache.example.com", "cache.example.com:443", "ftp://cache.example.com/"]) {
    it(`is refused at once with ${url} for ATTIC_SERVER_URL`, async () => {
      const stack = await open({}, { ATTIC_SERVER_URL: url });
      assert.equal(
        errorOf(await stack.up()),
        "error: ATTIC_SERVER_URL is not a URL such as https://cache.example.com/.",
      );
      assert.deepEqual(world.proxy.seen, []);
    });
  }

  it("is refused at once with an ATTIC_ADMIN_TOKEN that cannot be sent", async () => {
    const stack = await open({}, { ATTIC_ADMIN_TOKEN: "two words" });
    assert.equal(
      errorOf(await stack.up()),
      "error: ATTIC_ADMIN_TOKEN is not a token: it has characters that no token has.",
    );
  });
});
