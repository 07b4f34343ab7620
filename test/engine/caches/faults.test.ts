import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { AtticApi } from "../../support/attic-api.ts";
import { startAttic, type TestAttic } from "../../support/attic-server.ts";
import { CacheStack, type CacheRun } from "../../support/cache-stack.ts";
import { Postgres } from "../../support/postgres.ts";
import { type Fault, Proxy } from "../../support/proxy.ts";
import { secretsIn } from "../../support/secrets.ts";

/** What a faulty server is asked for: three caches, and the retention of one of them. */
const NAMES = ["one", "two", "three"];
const RETENTION = "7d";

const MISFORTUNE = "The server encountered an internal error or misconfiguration.";
const INTERNAL = `the server answered 500 InternalServerError: ${MISFORTUNE}`;

/** One server that misbehaves, with a stack that reaches it by a proxy. */
interface Patient {
  attic: TestAttic;
  proxy: Proxy;
  api: AtticApi;
  stack: CacheStack;
}

interface Scenario {
  what: string;
  /** Settings of the server. */
  toml?: Record<string, boolean>;
  run: (patient: Patient) => Promise<void>;
}

const SCENARIOS: Scenario[] = [
  // Those that wait longest come first: all run at once.
  {
    what: "never answers at all: the update ends, and the next one does what is to do",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = () => true;
      failed(
        await stack.up(),
        ...NAMES.map(
          (name) =>
            `POST ${proxy.url}_api/v1/cache-config/${name} failed 3 times, the last time because it did not answer in time`,
        ),
      );
      proxy.fault = () => false;
      await converges(stack, api);
    },
  },
  {
    what: "is not there: the update ends after a minute or so, and the next one does what is to do",
    run: async ({ proxy, stack, api }) => {
      await proxy.interrupt();
      failed(
        await stack.up(),
        ...NAMES.map(
          (name) =>
            `POST ${proxy.url}_api/v1/cache-config/${name} failed 9 times, the last time because nobody listens there`,
        ),
      );
      await proxy.resume();
      await converges(stack, api);
    },
  },
  {
    what: "never answers, while somebody presses Ctrl-C: the run ends, and the next one does what is to do",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = () => true;
      const command = await stack.command("up", "--yes", "--skip-preview");
      while (proxy.seen.length < NAMES.length && !command.hasEnded) await sleep(10);
      process.kill(command.pid, "SIGINT");
      const { code, stdout, stderr } = await command.result;
      assert.notEqual(code, 0);
      for (const name of NAMES)
        assert.ok(
          stdout.includes(
            `error: POST ${proxy.url}_api/v1/cache-config/${name} was given up: the run is cancelled\n`,
          ),
          stdout + stderr,
        );
      proxy.fault = () => false;
      await converges(stack, api);
    },
  },
  {
    what: "has no route yet, and somebody else answers for it: the update waits for it",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = only("POST", 4, (response) => response.writeHead(404).end("404 page not found\n"));
      await converges(stack, api);
      assert.equal(proxy.calls.filter((call) => call.startsWith("POST")).length, NAMES.length + 4);
    },
  },
  {
    what: "starts 30 seconds late: the update waits for it",
    run: async ({ attic, stack, api }) => {
      await attic.interrupt();
      const [run] = await Promise.all([stack.up(), sleep(30_000).then(() => attic.resume())]);
      done(run);
      await converges(stack, api);
    },
  },
  {
    what: "never answers one call: that is given up after half a minute and made again",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = only("POST two", 1, () => undefined);
      await converges(stack, api);
      assert.equal(proxy.calls.filter((call) => call === "POST two").length, 2);
    },
  },
  {
    what: "answers 500 when a cache is made: it is not asked again, and the next update makes what is missing",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = only("POST two", 1, internalError);
      failed(await stack.up(), `creating the cache two: ${INTERNAL}`);
      assert.equal(proxy.calls.filter((call) => call === "POST two").length, 1);
      await converges(stack, api);
    },
  },
  {
    what: "answers 500 when the retention is set: the cache is kept, and the next update sets it",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = only("PATCH one", 1, internalError);
      failed(
        await stack.up(),
        `the cache was made, and its retention not set: configuring the cache one: ${INTERNAL}`,
      );
      const { public_key } = await api.config("one");
      assert.equal((await stack.resource("one")).outputs?.publicKey, public_key);
      assert.deepEqual((await api.config("one")).retention_period, "Global");
      proxy.forget();
      await converges(stack, api);
      assert.ok(!proxy.calls.includes("POST one"));
      assert.equal((await api.config("one")).public_key, public_key);
    },
  },
  {
    what: "answers 500 when a cache is read or deleted: both can be done again",
    run: async ({ proxy, stack, api }) => {
      await converges(stack, api);
      proxy.fault = only("GET two", 1, internalError);
      failed(await stack.refresh(), `reading the cache two: ${INTERNAL}`);
      assert.deepEqual((await stack.refresh()).steps, []);
      proxy.fault = only("DELETE two", 1, internalError);
      failed(await stack.destroy(), `deleting the cache two: ${INTERNAL}`);
      assert.equal((await stack.destroy()).ok, true);
      assert.deepEqual(await api.names(), []);
    },
  },
  {
    what: "answers 429, 502, 503 and 504 for a while: it is asked again until it does what it is to do",
    run: async ({ proxy, stack, api }) => {
      const statuses = [429, 502, 503, 504];
      proxy.fault = ({ method }, response) => {
        const status = method === "POST" ? statuses.pop() : undefined;
        if (status !== undefined) response.writeHead(status).end("busy");
        return status !== undefined;
      };
      await converges(stack, api);
      assert.equal(proxy.calls.filter((call) => call.startsWith("POST")).length, NAMES.length + 4);
    },
  },
  {
    what: "closes the connection before it has read a request: it is asked again",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = only("POST", 2, (response) => response.destroy());
      await converges(stack, api);
    },
  },
  {
    what: "does what it is asked, and closes the connection half way through its answer: the cache is known again",
    run: async ({ proxy, stack, api }) => {
      let left = 2;
      proxy.fault = ({ method }, response) => {
        if (method !== "POST" || left === 0) return false;
        left -= 1;
        // The request goes on, and what comes back is cut off.
        response.writeHead = () => {
          response.socket?.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
          return response;
        };
        return false;
      };
      await converges(stack, api);
      assert.equal(left, 0);
      assert.equal(proxy.calls.filter((call) => call.startsWith("POST")).length, NAMES.length + 2);
    },
  },
  {
    what: "is killed and started again in the middle of a run: every cache is there, once",
    run: async ({ attic, proxy, stack, api }) => {
      for (let index = 0; index < 30; index += 1)
        stack.declared.caches![`more-${index}`] = { name: `more-${index}` };
      let again: Promise<void> | undefined;
      proxy.fault = () => {
        if (proxy.seen.length === 10) again = attic.interrupt("SIGKILL").then(() => attic.resume());
        return false;
      };
      done(await stack.up());
      assert.notEqual(again, undefined);
      await again;
      await converges(stack, api);
    },
  },
  {
    what: "is another program, which answers everything with a page: nothing is taken for made",
    run: async ({ proxy, stack, api }) => {
      proxy.fault = (_seen, response) => {
        response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Welcome</title>");
        return true;
      };
      failed(
        await stack.up(),
        ...NAMES.map(
          (name) => `creating the cache ${name}: the answer is not Attic's; is it Attic that answers there?`,
        ),
      );
      const types = (await stack.state()).deployment.resources?.map(({ type }) => type);
      assert.equal(types?.includes("attic:index:Cache"), false);
      proxy.fault = () => false;
      await converges(stack, api);
      proxy.fault = (_seen, response) => (response.writeHead(200).end("<html>"), true);
      failed(
        await stack.refresh(),
        ...NAMES.map(
          (name) => `reading the cache ${name}: the answer is not a cache; is it Attic that answers there?`,
        ),
      );
      failed(
        await stack.destroy(),
        ...NAMES.map(
          (name) => `reading the cache ${name}: the answer is not a cache; is it Attic that answers there?`,
        ),
      );
      proxy.fault = () => false;
      assert.deepEqual((await stack.refresh()).steps, []);
    },
  },
  {
    what: "keeps the names of deleted caches: such a name cannot be used, and the error says why",
    toml: { "soft-delete-caches": true },
    run: async ({ stack, api }) => {
      await converges(stack, api);
      done(await stack.destroy());
      failed(
        await stack.up(),
        ...NAMES.map(
          (name) =>
            `The name ${name} cannot be used: a cache of this name was deleted on a server that keeps the records of deleted caches (soft-delete-caches). Choose another name.`,
        ),
      );
    },
  },
];

describe("caches on a server that", function () {
  this.timeout(300_000);
  let postgres: Postgres;
  const running = new Map<Scenario, Promise<void>>();
  const patients: Patient[] = [];

  before(async () => {
    postgres = await Postgres.start();
    for (const scenario of SCENARIOS) {
      const patient = await admit(scenario);
      patients.push(patient);
      // Most of them only wait, and so all do it together.
      const run = scenario.run(patient);
      run.catch(() => undefined);
      running.set(scenario, run);
    }
  });

  after(async () => {
    await Promise.allSettled(running.values());
    for (const { stack, proxy, attic } of patients) {
      await stack.close();
      await proxy.stop();
      await attic.stop();
    }
    await postgres.stop();
  });

  for (const scenario of SCENARIOS) it(scenario.what, () => running.get(scenario));

  async function admit({ toml = {} }: Scenario): Promise<Patient> {
    const attic = await startAttic({ postgres, toml, algorithm: "HS256" });
    const proxy = await Proxy.start(attic.url);
    const caches = Object.fromEntries(NAMES.map((name) => [name, { name }]));
    const stack = await CacheStack.open({
      server: { endpoint: proxy.url, key: attic.key },
      caches: { ...caches, one: { name: "one", retention: RETENTION } },
    });
    secrets.set(attic.key.secret, "signing key");
    return { attic, proxy, api: new AtticApi(attic), stack };
  }
});

/** What no message may hold. */
const secrets = new Map<string, string>();

/** A fault that befalls the first calls of a kind. @param call such as `POST two`, or its beginning. */
function only(call: string, times: number, befall: (response: ServerResponse) => unknown): Fault {
  let left = times;
  return ({ method, path }, response) => {
    if (left === 0 || !`${method} ${path.split("/").at(-1) ?? ""}`.startsWith(call)) return false;
    left -= 1;
    befall(response);
    return true;
  };
}

function internalError(response: ServerResponse): void {
  response.writeHead(500, { "content-type": "application/json" });
  response.end(JSON.stringify({ code: 500, error: "InternalServerError", message: MISFORTUNE }));
}

function done({ ok, messages }: CacheRun): void {
  assert.deepEqual([ok, messages], [true, []]);
}

/** Checks that a run failed, and said just these sentences and nothing that is secret. */
function failed({ ok, messages, printed }: CacheRun, ...sentences: readonly string[]): void {
  assert.equal(ok, false);
  const errors = messages.filter((message) => message !== "error: update failed").sort();
  const plain = errors.map((error) => error.replace(/^error: (1 error occurred:\s+\* )?/, ""));
  assert.deepEqual(plain, [...sentences].sort());
  assert.doesNotMatch(printed, /\n\s+at .*:\d+:\d+/);
  assert.deepEqual(secretsIn(printed, secrets), []);
}

/** Checks that an update makes what is declared, that the state knows it as it is, and that nothing is left to do. */
async function converges(stack: CacheStack, api: AtticApi): Promise<void> {
  done(await stack.up());
  const declared = Object.keys(stack.declared.caches ?? {}).sort();
  const keys = await api.publicKeys();
  assert.deepEqual(Object.keys(keys), declared);
  const { resources = [] } = (await stack.state()).deployment;
  const known = resources.flatMap(({ type, id = "", outputs }) =>
    type === "attic:index:Cache" ? [[id, outputs?.publicKey as string] as const] : [],
  );
  assert.deepEqual(Object.fromEntries(known.sort()), keys);
  assert.deepEqual((await api.config("one")).retention_period, { Period: 7 * 86_400 });
  assert.deepEqual((await stack.up()).steps, []);
}
