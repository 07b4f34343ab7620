import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { type Path, makePath } from "../../contract/support/nar.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { type Fault, Proxy } from "../../support/proxy.ts";
import { TcpProxy } from "./support/tcp-proxy.ts";

/** Servers that do not answer are not waited for long. */
const HASTE = { silenceSeconds: 1, retrySeconds: 0.4 };

type Answer = Parameters<Fault>[1];

/** What may be wrong with every answer of a server. */
const FAULTS: Readonly<Record<string, (response: Answer) => void>> = {
  "closes the connection": (response) => response.destroy(),
  "never answers": () => undefined,
  "answers 500": (response) => response.writeHead(500).end("<html>broken</html>"),
  "answers 503 as S3 does": (response) => response.writeHead(503).end("<Error><Code>SlowDown</Code></Error>"),
  "answers 200 with nonsense": (response) => response.writeHead(200).end("<html>hello</html>"),
  "answers 200 with nothing": (response) => response.writeHead(200).end(),
  "stops half way": (response) => response.writeHead(200, { "content-length": 1000 }).write("half"),
  "breaks off half way": (response) => {
    response.writeHead(200, { "content-length": 1000 }).write("half", () => response.destroy());
  },
  "answers 403": (response) => response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>"),
};

describe("the mirror, where something fails", function () {
  this.timeout(60_000);
  let world: MirrorWorld;
  let attic: Proxy;
  let store: Proxy;
  let database: TcpProxy;
  let key: string;
  let env: Record<string, string>;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    key = (await world.api.config("main")).public_key;
    attic = await Proxy.start(world.attic.url);
    store = await Proxy.start(`${world.env.S3_ENDPOINT ?? ""}/`);
    const url = new URL(world.attic.databaseUrl);
    database = await TcpProxy.start(Number(url.port));
    url.port = String(database.port);
    env = { ATTIC_URL: attic.url, S3_ENDPOINT: store.url.replace(/\/$/, ""), DATABASE_URL: url.href };
    await world.pushSome("main", 4, 3000);
    assert.equal((await world.run({ env })).code, 0);
  });
  after(async () => {
    await attic.stop();
    await store.stop();
    await database.stop();
    await world.stop();
  });

  let added: Path[];
  beforeEach(async () => {
    added = await world.pushSome("main", 6, 3000);
    attic.forget();
    store.forget();
  });

  /** Runs it with what was set up, and looks whether what is at the edge is sound. */
  const fails = async (config: Readonly<Record<string, unknown>> = {}) => {
    const result = await world.run({ env, config });
    assert.deepEqual(await world.bucket.faults(key), []);
    return result;
  };
  /** After that all is mended, the next run has to bring the rest. */
  const recovers = async () => {
    attic.fault = () => false;
    store.fault = () => false;
    database.mend();
    const { code, printed } = await world.run({ env });
    assert.equal(code, 0, printed);
    assert.deepEqual(await world.bucket.faults(key), []);
    assert.deepEqual(await world.bucket.paths(), await world.served());
    assert.equal(await world.bucket.unfinished(), 0);
    const { ok, caches } = await world.status();
    assert.deepEqual(
      [ok, caches.main?.paths, caches.main?.lagSeconds],
      [true, (await world.served()).length, 0],
    );
  };
  afterEach(recovers);

  describe("a NAR", () => {
    const tampered: Readonly<Record<string, (body: Buffer) => Buffer>> = {
      "with one bit that is another": (body) => {
        body.writeUInt8(body.readUInt8(body.length >> 1) ^ 1, body.length >> 1);
        return body;
      },
      "without its end": (body) => body.subarray(0, body.length - 1),
      "without its beginning": (body) => body.subarray(1),
      "without anything": () => Buffer.alloc(0),
      "with something behind it": (body) => Buffer.concat([body, Buffer.from("x")]),
      "that comes twice": (body) => Buffer.concat([body, body]),
      "that is a page for people": () => Buffer.from("<html>hello</html>"),
      "of noise": () => randomBytes(5000),
    };
    for (const [what, tamper] of Object.entries(tampered)) {
      it(`${what} is reported and not published, and all else is`, async () => {
        const [bad] = added;
        attic.fault = altering(world, new RegExp(`${bad!.hash}\\.nar$`), tamper);
        const { code, lines } = await fails();
        assert.equal(code, 3);
        const wanted = (await world.served()).filter((hash) => hash !== bad!.hash);
        assert.deepEqual(await world.bucket.paths(), wanted);
        const told = lines.filter(({ message }) => message === "path not copied");
        assert.deepEqual(
          told.map(({ hash, cache }) => [hash, cache]),
          [[bad!.hash, "main"]],
        );
        const { ok, caches } = await world.status();
        assert.deepEqual([ok, caches.main!.failed, caches.main!.added], [false, 1, 5]);
        assert.ok(caches.main!.lagSeconds >= 0);
      });
    }

    it("of 9 MB that is another in its last byte leaves nothing behind", async () => {
      const large = makePath("main", 9_000_000);
      await world.push(large);
      attic.fault = altering(world, new RegExp(`${large.hash}\\.nar$`), (body) => {
        body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
        return body;
      });
      assert.equal((await fails()).code, 3);
      assert.equal(await world.bucket.unfinished(), 0);
      assert.ok(!(await world.bucket.paths()).includes(large.hash));
    });
  });

  describe("a narinfo", () => {
    const tampered: Readonly<Record<string, (text: string) => string>> = {
      "that is signed by nobody": (text) => text.replace(/^Sig: .*\n/m, ""),
      "whose signature is another's": (text) => text.replace(/^(Sig: [^:]+:).{4}/m, "$1AAAA"),
      "with a reference more": (text) => text.replace(/^References: .*$/m, `References: ${"1".repeat(32)}-x`),
      "of another path": (text) =>
        text.replace(/^StorePath: .*$/m, `StorePath: /nix/store/${"1".repeat(32)}-x`),
      "with another NAR's hash": (text) =>
        text.replace(/^NarHash: .*$/m, `NarHash: sha256:${"0".repeat(64)}`),
      "with another size": (text) => text.replace(/^NarSize: .*$/m, "NarSize: 1"),
      "of a compression that cannot be checked": (text) =>
        text.replace(/^Compression: .*$/m, "Compression: xz"),
      "with a line that is none": (text) => `${text}\n\nStorePath\n`,
      "that is a page for people": () => "<html>hello</html>",
      "that is cut off": (text) => text.slice(0, -3),
    };
    for (const [what, tamper] of Object.entries(tampered)) {
      it(`${what} is reported and not published, and all else is`, async () => {
        const [bad] = added;
        attic.fault = altering(world, new RegExp(`${bad!.hash}\\.narinfo$`), (body) =>
          Buffer.from(tamper(body.toString())),
        );
        assert.equal((await fails()).code, 3);
        const wanted = (await world.served()).filter((hash) => hash !== bad!.hash);
        assert.deepEqual(await world.bucket.paths(), wanted);
      });
    }
  });

  describe("Attic", () => {
    for (const [what, answer] of Object.entries(FAULTS)) {
      for (const after of [0, 4]) {
        it(`${what} after ${after} requests: nothing is taken away, nothing wrong is written`, async () => {
          const before = await world.bucket.paths();
          let asked = 0;
          attic.fault = (_seen, response) => {
            asked += 1;
            if (asked > after) answer(response);
            return asked > after;
          };
          const { code } = await fails(HASTE);
          assert.equal(code, 3);
          const paths = await world.bucket.paths();
          assert.deepEqual(
            before.filter((hash) => !paths.includes(hash)),
            [],
          );
          assert.equal((await world.status()).ok, false);
        });
      }
    }

    it("that is there again within the time of retrying is all right", async () => {
      let asked = 0;
      attic.fault = (_seen, response) => {
        asked += 1;
        if (asked % 3 === 0) response.destroy();
        return asked % 3 === 0;
      };
      assert.equal((await fails({ silenceSeconds: 1, retrySeconds: 10 })).code, 0);
    });

    it("that loses a chunk of a NAR: the path is reported at once", async () => {
      await world.sql(
        "UPDATE chunkref SET chunk_id = NULL WHERE nar_id = (SELECT nar_id FROM object WHERE store_path_hash = $1)",
        [added[0]!.hash],
      );
      const { code, lines } = await fails();
      assert.equal(code, 3);
      assert.ok(
        lines.some(({ reason }) => String(reason).includes("IncompleteNar")),
        JSON.stringify(lines),
      );
      await world.forget(added[0]!);
    });

    it("sends on to nowhere", async () => {
      attic.fault = ({ path }, response) => {
        if (!path.includes("/nar/")) return false;
        response.writeHead(307, { location: "file:///etc/passwd" }).end();
        return true;
      };
      assert.equal((await fails()).code, 3);
    });
  });

  describe("the object store", () => {
    for (const [what, answer] of Object.entries(FAULTS)) {
      for (const after of [0, 6]) {
        it(`${what} after ${after} requests: the run fails, and the next one mends it`, async () => {
          let asked = 0;
          store.fault = (_seen, response) => {
            asked += 1;
            if (asked > after) answer(response);
            return asked > after;
          };
          const { code, printed } = await fails(HASTE);
          assert.equal(code, 4, printed);
        });
      }
    }

    for (const [what, answer] of Object.entries(FAULTS)) {
      if (!/nonsense|nothing|500/.test(what)) continue;
      it(`${what} once, where a NAR is stored: it is stored again`, async () => {
        let isDone = false;
        store.fault = ({ method, path }, response) => {
          if (isDone || method !== "PUT" || !path.includes("/nar/")) return false;
          isDone = true;
          answer(response);
          return true;
        };
        assert.equal((await fails({ silenceSeconds: 1, retrySeconds: 5 })).code, 0);
        assert.ok(isDone);
      });
    }

    it("that fails now and then is all right", async () => {
      let asked = 0;
      store.fault = (_seen, response) => {
        asked += 1;
        if (asked % 4 === 0) response.destroy();
        return asked % 4 === 0;
      };
      assert.equal((await fails({ silenceSeconds: 1, retrySeconds: 10 })).code, 0);
    });
  });

  describe("PostgreSQL", () => {
    for (const bytes of [0, 200, 1200, 2000]) {
      it(`hangs after ${bytes} bytes: nothing is taken away`, async () => {
        const before = await world.bucket.paths();
        database.hangsAfter = bytes;
        const { code, printed } = await fails({ silenceSeconds: 0.3, retrySeconds: 1 });
        assert.equal(code, 4, printed);
        assert.deepEqual(await world.bucket.paths(), before);
        assert.equal((await world.status()).ok, false);
      });

      it(`is cut off after ${bytes} bytes: nothing is taken away`, async () => {
        const before = await world.bucket.paths();
        database.cutsAfter = bytes;
        const { code, printed } = await fails(HASTE);
        assert.equal(code, 4, printed);
        assert.deepEqual(await world.bucket.paths(), before);
      });
    }

    it("is restarted while paths are copied: the run goes on", async () => {
      let isCut = false;
      attic.fault = ({ path }) => {
        if (path.includes("/nar/") && !isCut) {
          isCut = true;
          void world.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mirror'",
          );
        }
        return false;
      };
      const { code, printed } = await fails({ silenceSeconds: 2, retrySeconds: 10 });
      assert.deepEqual([code, isCut], [0, true], printed);
    });
  });

  it("asked to end by SIGTERM ends in order, and the next run need not look at the bucket", async () => {
    attic.delay = 150;
    const command = world.begin({ env, config: { concurrency: 1 } });
    while (attic.seen.filter(({ path }) => path.includes("/nar/")).length < 3) await sleep(10);
    process.kill(command.pid, "SIGTERM");
    const { code, stdout } = await command.result;
    attic.delay = 0;
    assert.equal(code, 5, stdout);
    assert.deepEqual(await world.bucket.faults(key), []);
    assert.equal((await world.status()).ok, false);
    store.forget();
    assert.equal((await world.run({ env })).code, 0);
    assert.ok(!store.seen.some(({ path }) => path.includes("list-type")), store.calls.join());
  });

  it("two at once: one copies, the other says that it does not", async () => {
    attic.delay = 500;
    const runs = [world.run({ env }), world.run({ env })];
    const results = await Promise.all(runs);
    attic.delay = 0;
    assert.deepEqual(results.map(({ code }) => code).sort(), [0, 6]);
    assert.deepEqual(await world.bucket.faults(key), []);
  });

  it("shows no secret, whatever fails", async () => {
    const fault: Fault = (seen, response) => {
      response.writeHead(400).end(`${seen.token} ${Object.values(world.env).join(" ")}`);
      return true;
    };
    attic.fault = fault;
    const one = await fails();
    store.fault = fault;
    const two = await fails();
    const wrong = new URL(world.attic.databaseUrl);
    wrong.password = "another-secret";
    const three = await world.run({ env: { ...env, DATABASE_URL: wrong.href }, config: HASTE });
    assert.equal(three.code, 4);
    const printed = one.printed + two.printed + three.printed;
    const { ATTIC_TOKEN = "", AWS_SECRET_ACCESS_KEY = "" } = world.env;
    const { password } = new URL(world.attic.databaseUrl);
    for (const secret of [ATTIC_TOKEN, AWS_SECRET_ACCESS_KEY, password, "another-secret"])
      assert.ok(secret !== "" && !printed.includes(secret));
  });
});

/** Gives what the server answers where the path matches, but altered. */
function altering(world: MirrorWorld, path: RegExp, alter: (body: Buffer) => Buffer): Fault {
  return (seen, response) => {
    if (!path.test(seen.path)) return false;
    const headers = { authorization: `Bearer ${seen.token}` };
    void fetch(new URL(seen.path, world.attic.url), { headers })
      .then(async (answer) => Buffer.from(await answer.arrayBuffer()))
      .then((body) => response.writeHead(200).end(alter(body)));
    return true;
  };
}
