import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "mocha";
import { configPath, Contract, creation } from "../../../contract/support/contract.ts";
import { decompress } from "../../../contract/support/decompress.ts";
import { archive } from "../../../../sandbox/welcome/store-path.ts";
import { makePath, pathOf } from "../../../contract/support/nar.ts";
import { parseNarInfo } from "../../../contract/support/narinfo.ts";
import { anyFreePort } from "../../../../sandbox/support/port.ts";
import { startAttic, type TestAttic } from "../../../support/attic-server.ts";
import { Postgres } from "../../../support/postgres.ts";

const UPLOAD = "/_api/v1/upload-path";

describe("the stand-in's process", () => {
  let postgres: Postgres;
  let server: TestAttic;
  let attic: Contract;
  before(async () => {
    postgres = await Postgres.start();
  });
  after(async () => {
    await postgres.stop();
  });
  afterEach(async () => {
    await server.stop();
  });

  const start = async (options: Parameters<typeof startAttic>[0] = {}) => {
    server = await startAttic({ postgres, program: "", ...options });
    attic = new Contract();
    attic.open(server);
  };

  it("ends in peace when it is told to, with kept connections open", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      await start();
      await attic.cache();
      assert.equal(await server.interrupt(signal), 0);
      assert.match(server.log, new RegExp(`Received ${signal}, exiting gracefully`));
      if (signal === "SIGTERM") await server.stop();
    }
  });

  it("ends an upload that has begun before it ends itself", async () => {
    await start();
    const cache = await attic.cache();
    const path = makePath(cache, 300_000);
    const { hostname, port } = new URL(server.url);
    const headers = {
      authorization: `Bearer ${attic.tokenFor(cache, "push")}`,
      "x-attic-nar-info": JSON.stringify(path.info),
    };
    const status = new Promise<number | undefined>((resolve, reject) => {
      const upload = request({ host: hostname, port, method: "PUT", path: UPLOAD, headers, agent: false });
      upload.on("error", reject).on("response", (response) => {
        resolve(response.resume().statusCode);
      });
      upload.write(path.nar.subarray(0, 200_000));
      void (async () => {
        await sleep(100);
        const ended = server.interrupt();
        await sleep(200);
        upload.end(path.nar.subarray(200_000));
        await ended;
      })();
    });
    assert.equal(await status, 200);
    await server.resume();
    assert.equal((await attic.call("GET", `/${cache}/${path.hash}.narinfo`)).status, 200);
  });

  it("leaves nothing of an upload that breaks off", async () => {
    await start();
    const cache = await attic.cache();
    const path = makePath(cache, 3_000_000);
    const { hostname, port } = new URL(server.url);
    const headers = {
      authorization: `Bearer ${attic.tokenFor(cache, "push")}`,
      "x-attic-nar-info": JSON.stringify(path.info),
    };
    await new Promise<void>((resolve) => {
      const upload = request({ host: hostname, port, method: "PUT", path: UPLOAD, headers, agent: false });
      upload.on("error", () => undefined).on("close", resolve);
      upload.write(path.nar.subarray(0, 2_000_000), () => setTimeout(() => upload.destroy(), 200));
    });
    (await attic.call("GET", `/${cache}/${path.hash}.narinfo`)).isRefused("NoSuchObject");
    const info = JSON.stringify(path.info);
    const again = await attic.call("PUT", UPLOAD, { body: path.nar, headers: { "x-attic-nar-info": info } });
    assert.equal((again.json() as { kind: string }).kind, "Uploaded");
    assert.equal(await server.interrupt(), 0);
  });

  it("reads what a refused client still sends, and answers on the same connection", async () => {
    await start();
    const cache = await attic.cache();
    const path = makePath(cache, 4_000_000);
    for (let round = 0; round < 3; round += 1) {
      const headers = { "x-attic-nar-info": JSON.stringify(path.info) };
      const refused = await attic.call("PUT", UPLOAD, { body: path.nar, headers, token: null });
      refused.isRefused("Unauthorized");
      const large = { cache, store_path_hashes: Array.from({ length: 200_000 }, () => "0".repeat(32)) };
      const many = await attic.call("POST", "/_api/v1/get-missing-paths", { json: large });
      many.isMalformed(413, /length limit exceeded/);
    }
  });

  it("answers only those hosts that it is allowed to", async () => {
    await start({ toml: { "allowed-hosts": ["attic", "cache.example.com"] } });
    const { hostname, port } = new URL(server.url);
    const ask = async (host: string) =>
      await new Promise<string>((resolve, reject) => {
        const call = request({ host: hostname, port, path: "/", headers: { host }, agent: false });
        call.on("error", reject).on("response", (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.on("end", () => {
            resolve(response.statusCode === 200 ? "200" : text);
          });
        });
        call.end();
      });
    const refusal = '{"code":400,"error":"RequestError","message":"General request error: Bad Host"}';
    assert.deepEqual(
      await Promise.all(["attic", "cache.example.com", "attic:80", "Attic", `${hostname}:${port}`].map(ask)),
      ["200", "200", refusal, refusal, refusal],
    );
  });

  it("tells clients the addresses that are configured", async () => {
    const [api, other] = ["https://api.example.com/attic/", "https://cache.example.com/"];
    await start({ toml: { "api-endpoint": api, "substituter-endpoint": other } });
    const cache = await attic.cache();
    const { api_endpoint, substituter_endpoint } = await attic.config(cache);
    assert.deepEqual([api_endpoint, substituter_endpoint], [api, `${other}${cache}`]);
  });

  it("lets who knows a NAR's hash have it where no proof is asked for", async () => {
    await start({ toml: { "require-proof-of-possession": false } });
    const cache = await attic.cache();
    const path = makePath(cache, 100);
    const push = async (info: unknown, body: Buffer) => {
      const headers = { "x-attic-nar-info": JSON.stringify(info) };
      const answer = await attic.call("PUT", UPLOAD, { body, headers });
      return (answer.json() as { kind: string }).kind;
    };
    assert.equal(await push(path.info, path.nar), "Uploaded");
    await sleep(100);
    assert.equal(await push(pathOf(cache, path.nar).info, Buffer.alloc(0)), "Deduplicated");
  });

  for (const type of ["none", "zstd", "brotli"]) {
    it(`compresses by ${type} where that is configured`, async () => {
      await start({ toml: { compression: { type } } });
      const cache = await attic.cache();
      // Chunks that brotli has compressed cannot be put together again, with the real server neither.
      const path = pathOf(cache, archive(Buffer.alloc(50_000, "text ")));
      const headers = { "x-attic-nar-info": JSON.stringify(path.info) };
      const pushed = await attic.call("PUT", UPLOAD, { body: path.nar, headers });
      const { file_size: size } = pushed.json() as { file_size: number };
      assert.ok(type === "none" ? size === path.nar.length : size < 1000, `${size}`);
      const narInfo = parseNarInfo((await attic.call("GET", `/${cache}/${path.hash}.narinfo`)).text);
      assert.equal(narInfo.Compression, type === "brotli" ? "br" : type);
      const { body } = await attic.call("GET", `/${cache}/nar/${path.hash}.nar`);
      assert.deepEqual([body.length, decompress(narInfo.Compression, body)], [size, path.nar]);
    });
  }

  it("answers before it has a database, and says then that it has none", async () => {
    const port = await anyFreePort();
    await start({ mode: "api-server", databaseUrl: `postgres://u:p@127.0.0.1:${port}/d` });
    assert.equal((await attic.call("GET", "/")).status, 200);
    const answer = await attic.call("GET", configPath("a"));
    assert.deepEqual(JSON.parse(answer.text), {
      code: 500,
      error: "InternalServerError",
      message: "The server encountered an internal error or misconfiguration.",
    });
  });

  it("makes no secret known by its log", async () => {
    const own = await Postgres.start();
    await start({ postgres: own });
    const secret = `k:${randomBytes(64).toString("base64")}`;
    const cache = await attic.cache({ keypair: { Keypair: secret } });
    await attic.call("POST", configPath(cache), { json: creation({ keypair: { Keypair: `${secret}=` } }) });
    const token = attic.tokenFor(cache, "pull");
    await attic.call("GET", `/${cache}/x.narinfo`, { token });
    await own.stop();
    const failed = await attic.call("GET", configPath(cache), { token });
    assert.equal(failed.status, 500);
    assert.match(server.log, /^GET \/_api\/v1\/cache-config\/.+: .+$/m);
    const { password } = new URL(server.databaseUrl);
    for (const text of [password, token.slice(-40), secret.slice(2, 40), server.key.secret.slice(60, 100)])
      assert.equal(server.log.includes(text), false);
  });

  it("keeps little of a large NAR in memory", async () => {
    await start();
    const cache = await attic.cache();
    const size = 200_000_000;
    const path = pathOf(cache, archive(randomBytes(size)));
    const before = peakMemory(server.pid);
    const headers = { "x-attic-nar-info": JSON.stringify(path.info) };
    const answer = await attic.call("PUT", UPLOAD, { body: path.nar, headers });
    assert.equal(answer.status, 200, answer.text);
    const fetched = await attic.call("GET", `/${cache}/nar/${path.hash}.nar`);
    assert.ok(fetched.body.length > size);
    const grown = peakMemory(server.pid) - before;
    assert.ok(grown < 0.9 * size, `${grown} bytes more`);
  });
});

/** The most memory that a process has ever had, in bytes. */
function peakMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}
