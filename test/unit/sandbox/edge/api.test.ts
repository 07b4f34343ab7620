import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { ACCOUNT, bucketResource, EdgeWorld, type Answer } from "./edge-world.ts";

const HELLO = `export default { fetch: () => new Response("hello") };`;

function refused({ status, success, errors, result }: Answer): unknown[] {
  return [status, success, errors[0]?.code, result];
}

describe("the sandbox's Cloudflare API", function () {
  this.timeout(120_000);
  let world: EdgeWorld;

  beforeEach(async () => {
    world = await EdgeWorld.open();
  });
  afterEach(async () => {
    await world.close();
  });

  it("wants a token that it knows, an account's id, and a path that it plays", async () => {
    const path = "accounts/:account/r2/buckets";
    const answer = async (headers: Record<string, string>) =>
      ((await (await world.fetch("GET", path, undefined, headers)).json()) as Answer).errors[0]?.code;
    assert.deepEqual(
      [
        await answer({}),
        await answer({ authorization: "Basic abc" }),
        await answer({ authorization: "Bearer wrong" }),
      ],
      [9106, 6111, 9109],
    );
    assert.deepEqual(refused(await world.call("GET", "accounts/me/r2/buckets")), [400, false, 7003, null]);
    assert.deepEqual(refused(await world.call("GET", "accounts/:account/d1/database")), [
      404,
      false,
      7000,
      null,
    ]);
    assert.deepEqual(refused(await world.call("PUT", path, {})), [405, false, 10405, null]);
  });

  describe("of R2", () => {
    it("makes a bucket with its location and class, tells and lists it", async () => {
      const body = { name: "nix-cache", locationHint: "eeur", storageClass: "InfrequentAccess" };
      const made = await world.call("POST", "accounts/:account/r2/buckets", body);
      const { creation_date: created, ...rest } = made.result as Record<string, unknown>;
      assert.ok(Math.abs(Date.parse(String(created)) - Date.now()) < 60_000);
      assert.deepEqual(rest, {
        name: "nix-cache",
        location: "EEUR",
        jurisdiction: "default",
        storage_class: "InfrequentAccess",
      });
      assert.deepEqual(
        (await world.call("GET", "accounts/:account/r2/buckets/nix-cache")).result,
        made.result,
      );
      await world.bucket("another");
      const { result } = await world.call("GET", "accounts/:account/r2/buckets");
      const { buckets } = result as unknown as { buckets: { name: string }[] };
      assert.deepEqual(
        buckets.map(({ name }) => name),
        ["another", "nix-cache"],
      );
    });

    it("refuses a name twice, a wrong name, location or class, and what is not there", async () => {
      const make = async (body: unknown) =>
        refused(await world.call("POST", "accounts/:account/r2/buckets", body));
      await world.bucket("nix");
      assert.deepEqual(await make({ name: "nix" }), [409, false, 10004, null]);
      assert.deepEqual(await make({ name: "Nix_Cache" }), [400, false, 10005, null]);
      assert.deepEqual(await make({}), [400, false, 10005, null]);
      assert.deepEqual(await make({ name: "abc", locationHint: "mars" }), [400, false, 10001, null]);
      assert.deepEqual(await make({ name: "abc", storageClass: "Glacier" }), [400, false, 10001, null]);
      assert.deepEqual(await make("no json"), [400, false, 10021, null]);
      const gone = await world.call("GET", "accounts/:account/r2/buckets/gone");
      assert.deepEqual(refused(gone), [404, false, 10006, null]);
    });

    it("deletes a bucket that is empty, and one of the same name begins with nothing", async () => {
      const s3 = await world.s3Of("nix");
      await s3.send(new PutObjectCommand({ Bucket: "nix", Key: "a", Body: "b" }));
      const path = "accounts/:account/r2/buckets/nix";
      assert.deepEqual(refused(await world.call("DELETE", path)), [409, false, 10008, null]);
      await world.deploy(
        "w",
        `export default { fetch: async (_, env) => { await env.B.delete("a"); return new Response() } }`,
        {
          bindings: [{ type: "r2_bucket", name: "B", bucket_name: "nix" }],
        },
      );
      await fetch(world.workerUrl("w"));
      assert.equal((await world.call("DELETE", path)).status, 200);
      assert.deepEqual(refused(await world.call("DELETE", path)), [404, false, 10006, null]);
    });

    it("has R2's own lifecycle rule for a new bucket, and checks those that are put", async () => {
      await world.bucket("nix");
      const path = "accounts/:account/r2/buckets/nix/lifecycle";
      const rules = async () => ((await world.call("GET", path)).result as { rules?: unknown }).rules;
      const age = (maxAge: unknown) => ({ condition: { type: "Age", maxAge } });
      const rule = { id: "r", enabled: true, conditions: { prefix: "" } };
      assert.deepEqual(await rules(), [
        {
          ...rule,
          id: "Default Multipart Abort Rule",
          abortMultipartUploadsTransition: age(604_800),
        },
      ]);
      const good = [{ ...rule, abortMultipartUploadsTransition: age(86_400) }];
      assert.equal((await world.call("PUT", path, { rules: good })).status, 200);
      assert.deepEqual(await rules(), good);
      const wrong = [
        [rule],
        [{ ...rule, abortMultipartUploadsTransition: age(-1) }],
        [{ ...rule, abortMultipartUploadsTransition: { condition: { type: "Moon" } } }],
        [{ ...rule, conditions: {}, abortMultipartUploadsTransition: age(1) }],
        [{ ...good[0], enabled: "yes" }],
        [{ ...good[0], id: "" }],
        [{ ...good[0], somethingElse: {} }],
        [good[0], good[0]],
        "rules",
      ];
      for (const entry of wrong)
        assert.deepEqual(refused(await world.call("PUT", path, { rules: entry })), [400, false, 10040, null]);
      assert.deepEqual(await rules(), good);
    });
  });

  describe("of tokens", () => {
    it("tells a token's value once, and keeps only its hash", async () => {
      await world.bucket("nix");
      const { result } = await world.token({
        [bucketResource("nix")]: ["Workers R2 Storage Bucket Item Read"],
      });
      assert.match(result.value, /^[\w-]{40}$/);
      const told = await world.call("GET", `accounts/:account/tokens/${result.id}`);
      assert.equal("value" in told.result, false);
      const { value: _value, ...rest } = result;
      assert.deepEqual(told.result, rest);
      assert.equal(JSON.stringify(world.edge.state).includes(result.value), false);
    });

    it("finds permission groups by name, encoded or not, and by scope", async () => {
      const path = "accounts/:account/tokens/permission_groups";
      const names = async (query: string) => {
        const { result } = await world.call("GET", `${path}${query}`);
        return (result as unknown as { name: string }[]).map(({ name }) => name);
      };
      const name = "Workers R2 Storage Bucket Item Read";
      assert.deepEqual(await names(`?name=${encodeURIComponent(name)}`), [name]);
      assert.deepEqual(await names(`?name=${encodeURIComponent(encodeURIComponent(name))}`), [name]);
      assert.deepEqual(await names("?name=Nothing"), []);
      assert.deepEqual(await names("?scope=com.cloudflare.edge.r2.bucket"), [
        "Workers R2 Storage Bucket Item Write",
        name,
      ]);
      assert.equal((await names("")).includes("Account Analytics Read"), true);
    });

    it("refuses policies that grant nothing, a strange group, or what is not the account's", async () => {
      const read = ["Workers R2 Storage Bucket Item Read"];
      const account = `com.cloudflare.api.account.${ACCOUNT}`;
      const cases: Record<string, string[]>[] = [
        {},
        { [bucketResource("nix")]: [] },
        { [bucketResource("nix")]: ["No such group"] },
        // A permission of buckets on an account, of another account, and one of an account on a bucket.
        { [account]: read },
        { [bucketResource("nix").replace(ACCOUNT, "f".repeat(32))]: read },
        { [bucketResource("nix")]: ["Account Analytics Read"] },
        { "com.cloudflare.api.account.*": ["Account Analytics Read"] },
      ];
      for (const grants of cases)
        assert.deepEqual(
          refused(await world.token(grants)),
          [400, false, 1001, null],
          JSON.stringify(grants),
        );
      assert.equal((await world.token({ [account]: ["Account Analytics Read"] })).status, 200);
    });

    it("lets a token do what it is granted, until it is expired, disabled or deleted", async () => {
      const account = `com.cloudflare.api.account.${ACCOUNT}`;
      const { result } = await world.token({
        [account]: ["Workers R2 Storage Read", "Account API Tokens Write"],
      });
      const may = async (method: string, path: string, body?: unknown) =>
        (await world.call(method, `accounts/:account/${path}`, body, result.value)).status;
      assert.equal(await may("GET", "tokens/verify"), 200);
      assert.equal(await may("GET", "r2/buckets"), 200);
      assert.equal(await may("POST", "r2/buckets", { name: "nix" }), 403);
      assert.equal(await may("GET", "workers/scripts"), 403);
      const other = await world.call("GET", `accounts/${"f".repeat(32)}/r2/buckets`, undefined, result.value);
      assert.deepEqual(refused(other), [403, false, 10000, null]);
      const { name, policies } = result as unknown as Record<string, unknown>;
      const path = `accounts/:account/tokens/${result.id}`;
      for (const change of [
        { status: "disabled" },
        { expires_on: "2020-01-01T00:00:00Z" },
        { not_before: "2099-01-01T00:00:00Z" },
      ]) {
        assert.equal((await world.call("PUT", path, { name, policies, ...change })).status, 200);
        assert.equal(await may("GET", "r2/buckets"), 403);
      }
      assert.equal((await world.call("PUT", path, { name, policies })).status, 200);
      assert.equal(await may("GET", "r2/buckets"), 200);
      assert.equal((await world.call("DELETE", path)).status, 200);
      assert.equal(await may("GET", "r2/buckets"), 403);
      assert.deepEqual(refused(await world.call("GET", path)), [404, false, 1003, null]);
    });
  });

  describe("of Workers", () => {
    it("runs a Worker with its bindings at an address that stays while it changes", async () => {
      await world.bucket("nix");
      const code = (word: string) => `
        export default {
          async fetch(request, env) {
            await env.BUCKET.put("key", "${word}");
            const text = await (await env.BUCKET.get("key")).text();
            return Response.json([text, env.PLAIN, env.SECRET, env.JSON.deep[0]]);
          },
        };`;
      const bindings = [
        { type: "r2_bucket", name: "BUCKET", bucket_name: "nix" },
        { type: "plain_text", name: "PLAIN", text: "plain" },
        { type: "secret_text", name: "SECRET", text: "secret" },
        { type: "json", name: "JSON", json: { deep: [1] } },
      ];
      const made = await world.deploy("edge", code("one"), { bindings });
      assert.deepEqual((made.result as { handlers?: unknown }).handlers, ["fetch"]);
      const url = world.workerUrl("edge");
      assert.deepEqual(await (await fetch(url)).json(), ["one", "plain", "secret", 1]);
      await world.deploy("edge", code("two"), { bindings });
      assert.equal(world.workerUrl("edge"), url);
      assert.deepEqual(await (await fetch(url)).json(), ["two", "plain", "secret", 1]);
      const { result } = await world.call("GET", "accounts/:account/workers/scripts/edge/settings");
      assert.deepEqual((result as { bindings?: unknown }).bindings, [
        bindings[0],
        bindings[1],
        { type: "secret_text", name: "SECRET" },
        bindings[3],
      ]);
      const content = await world.fetch("GET", "accounts/:account/workers/scripts/edge/content/v2");
      assert.equal((await content.text()).includes(code("two")), true);
    });

    it("refuses what does not start, and lets the others go on", async () => {
      await world.deploy("good", HELLO);
      const url = world.workerUrl("good");
      const wrong: [string, Record<string, unknown>, number, RegExp][] = [
        ["export default {", {}, 10021, /SyntaxError/],
        [`throw new Error("at the start"); ${HELLO}`, {}, 10021, /at the start/],
        [`import "./nothing.js"; ${HELLO}`, {}, 10021, /nothing\.js/],
        [HELLO, { main_module: "other.js" }, 10021, /no part other\.js/],
        [HELLO, { compatibility_date: "2099-01-01" }, 10021, /in the future/],
        [HELLO, { compatibility_date: "yesterday" }, 10021, /Invalid compatibility date/],
        [HELLO, { bindings: [{ type: "r2_bucket", name: "B", bucket_name: "no" }] }, 10085, /'no' not found/],
        [HELLO, { bindings: [{ type: "kv_namespace", name: "B" }] }, 10021, /does not play/],
        [HELLO, { bindings: [{ type: "plain_text", name: "B" }] }, 10021, /needs text/],
        [HELLO, { bindings: [{ type: "plain_text", name: "a b", text: "" }] }, 10021, /no variable/],
        [HELLO, { migrations: {} }, 10021, /migrations/],
      ];
      for (const [code, metadata, number, words] of wrong) {
        const answer = await world.deploy("bad", code, metadata);
        assert.deepEqual(refused(answer), [400, false, number, null], words.source);
        assert.match(answer.errors[0]?.message ?? "", words);
      }
      assert.equal(await (await fetch(url)).text(), "hello");
      assert.equal(world.workerUrl("bad"), "");
    });

    it("takes the changes of many at once one after the other, and forgets none", async () => {
      const names = ["a", "b", "c", "d"];
      await Promise.all(names.map(async (name) => await world.deploy(name, HELLO.replace("hello", name))));
      const said = await Promise.all(
        names.map(async (name) => await (await fetch(world.workerUrl(name))).text()),
      );
      assert.deepEqual(said, names);
      assert.deepEqual(refused(await world.call("DELETE", "accounts/:account/workers/scripts/e")), [
        404,
        false,
        10007,
        null,
      ]);
      await Promise.all(
        names.map(async (name) => await world.call("DELETE", `accounts/:account/workers/scripts/${name}`)),
      );
      assert.deepEqual(world.edge.workers(), []);
    });

    it("knows a Worker by its domains and routes", async () => {
      await world.deploy("edge", HELLO);
      const zone = "f".repeat(32);
      const domains = "accounts/:account/workers/domains";
      const domain = await world.call("PUT", domains, { hostname: "cache.example.com", service: "edge" });
      const { hostname, service, zone_name: zoneName } = domain.result as Record<string, unknown>;
      assert.deepEqual([hostname, service, zoneName], ["cache.example.com", "edge", "example.com"]);
      const route = await world.call("POST", `zones/${zone}/workers/routes`, {
        pattern: "nix.example.com/*",
        script: "edge",
      });
      assert.deepEqual(world.edge.workers()[0]?.hosts, ["cache.example.com", "nix.example.com"]);
      const twice = await world.call("POST", `zones/${zone}/workers/routes`, {
        pattern: "nix.example.com/*",
      });
      assert.deepEqual(refused(twice), [409, false, 10020, null]);
      for (const body of [
        { hostname: "cache.example.com", service: "none" },
        { hostname: "no host", service: "edge" },
        { hostname: "a.example.com", service: "edge", zone_name: "example.org" },
      ])
        assert.equal((await world.call("PUT", domains, body)).success, false);
      assert.equal((await world.call("DELETE", `${domains}/${domain.result.id}`)).status, 200);
      assert.equal(
        (await world.call("DELETE", `zones/${zone}/workers/routes/${route.result.id}`)).status,
        200,
      );
      assert.deepEqual(world.edge.workers()[0]?.hosts, []);
    });

    it("records the data points that a Worker writes, and answers queries with a token that may ask", async () => {
      await world.deploy(
        "edge",
        `export default { fetch(request, env) {
          env.READS.writeDataPoint({ indexes: ["nix"], blobs: ["nix", new URL(request.url).pathname], doubles: [2] });
          env.READS.writeDataPoint({ blobs: ["x".repeat(20000)] });
          return new Response();
        } };`,
        { bindings: [{ type: "analytics_engine", name: "READS", dataset: "reads" }] },
      );
      for (const path of ["/a", "/b", "/a"]) await fetch(world.workerUrl("edge") + path);
      const account = `com.cloudflare.api.account.${ACCOUNT}`;
      const [reader, other] = await Promise.all([
        world.token({ [account]: ["Account Analytics Read"] }),
        world.token({ [account]: ["Workers Scripts Read"] }),
      ]);
      const sql = `SELECT blob2 AS path, sum(_sample_interval * double1) AS n FROM reads WHERE timestamp > NOW() - INTERVAL '1' DAY GROUP BY path ORDER BY path`;
      const query = async (token: string, text = sql) =>
        await world.fetch("POST", "accounts/:account/analytics_engine/sql", text, {
          authorization: `Bearer ${token}`,
        });
      // The points come together, a moment later.
      let data: { n: number }[] = [];
      for (let left = 100; left > 0 && data[0]?.n !== 4; left--) {
        await sleep(20);
        const response = await query(reader.result.value);
        if (response.ok) ({ data } = (await response.json()) as { data: { n: number }[] });
      }
      assert.deepEqual(data, [
        { path: "/a", n: 4 },
        { path: "/b", n: 2 },
      ]);
      assert.equal((await query(other.result.value)).status, 403);
      const wrong = await query(reader.result.value, "DROP TABLE reads");
      assert.deepEqual([wrong.status, await wrong.text()], [422, 'expected SELECT, found "DROP"\n']);
    });
  });

  it("keeps what it remembers where only its owner can read it", async () => {
    await world.token({ [`com.cloudflare.api.account.${ACCOUNT}`]: ["Account Analytics Read"] });
    const file = `${world.folder}/state.json`;
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((JSON.parse(await readFile(file, "utf8")) as { tokens: unknown[] }).tokens.length, 1);
  });
});
