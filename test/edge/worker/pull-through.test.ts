import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "mocha";
import { toNixBase32 } from "../../../sandbox/attic/nix/base32.ts";
import { TestWorker } from "../../support/worker.ts";
import { basic, CONFIG, FILE, HASH, NAR, narinfoText, OBJECTS, tokenFor } from "./support/edge.ts";
import { type Answer, Origin, says } from "./support/origin.ts";

const NEW = "9".repeat(32);
const BYTES = Buffer.from("the NAR, compressed".repeat(20_000));
const DIGEST = createHash("sha256").update("the NAR").digest();
const NAR_HASH = toNixBase32(DIGEST);
const PULLED = `/main/nar/${NAR_HASH}-${NEW}.nar`;

const TOO_LONG = "The server behind the edge took too long.\n";

/** As Attic writes it. */
function atticNarinfo(fields: Readonly<Record<string, string | undefined>> = {}): string {
  const all: Readonly<Record<string, string | undefined>> = {
    StorePath: `/nix/store/${NEW}-hello`,
    URL: `nar/${NEW}.nar`,
    Compression: "zstd",
    NarHash: `sha256:${DIGEST.toString("hex")}`,
    NarSize: "7",
    References: "",
    Sig: "main-1:AAAA",
    ...fields,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined);
  return lines.map(([name, value]) => `${name}: ${value}\n`).join("");
}

describe("the edge's Worker: pull-through", () => {
  let origin: Origin;
  let edge: TestWorker;

  before(async () => {
    origin = await Origin.start();
    edge = await TestWorker.start({ config: { ...CONFIG, pullThrough: origin.url }, objects: OBJECTS });
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  const has = (narinfo: Answer, nar: Answer = says(200, BYTES)) => {
    origin.answers = { [`/main/${NEW}.narinfo`]: narinfo, [`/main/nar/${NEW}.nar`]: nar };
    origin.takePaths();
  };
  const get = async (path: string, init?: { method?: string; headers?: Record<string, string> }) => {
    const answer = await edge.fetch(path, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };

  it("asks the server for nothing that the bucket holds", async () => {
    has(says(200, atticNarinfo()));
    assert.equal((await get(`/main/${HASH}.narinfo`)).text, narinfoText());
    assert.equal((await get(`/main/nar/${FILE}`)).text, NAR);
    assert.deepEqual(origin.takePaths(), []);
  });

  it("gives the server's narinfo, with a URL that names the NAR by its content", async () => {
    has(says(200, atticNarinfo()));
    const { status, headers, text } = await get(`/main/${NEW}.narinfo`);
    assert.equal(status, 200);
    const { URL: _, ...rest } = Object.fromEntries(
      atticNarinfo()
        .trimEnd()
        .split("\n")
        .map((line) => line.split(": ") as [string, string]),
    );
    const fields = Object.fromEntries(
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split(": ") as [string, string]),
    );
    assert.deepEqual(fields, { ...rest, URL: `nar/${NAR_HASH}-${NEW}.nar` });
    assert.equal(headers.get("content-type"), "text/x-nix-narinfo");
    assert.equal(headers.get("cache-control"), "public, max-age=60");
    assert.equal((await get(`/${NEW}.narinfo`)).text, text);
    assert.equal((await get(`/main/${NEW}.narinfo`, { method: "HEAD" })).status, 200);
  });

  it("takes the NAR's hash in base 32 too", async () => {
    has(says(200, atticNarinfo({ NarHash: `sha256:${NAR_HASH}` })));
    assert.match((await get(`/main/${NEW}.narinfo`)).text, new RegExp(`URL: nar/${NAR_HASH}-${NEW}.nar`));
  });

  it("sends nothing of the client's to the server", async () => {
    has(says(200, atticNarinfo()));
    await get(`/main/${NEW}.narinfo?x=1`, {
      headers: { ...basic(tokenFor({ main: { r: 1 } })), cookie: "a=b", "x-me": "1" },
    });
    const { headers, url } = origin.asked[0]!;
    assert.deepEqual(
      [headers.authorization, headers.cookie, headers["x-me"], url],
      [...[undefined, undefined, undefined, `/main/${NEW}.narinfo`]],
    );
  });

  it("gives the NAR, counts it as read, keeps it in Cloudflare's cache, and puts nothing into the bucket", async () => {
    has(says(200, atticNarinfo()));
    edge.takeReads();
    const first = await get(PULLED);
    assert.deepEqual([first.status, first.text === BYTES.toString()], [200, true]);
    assert.equal(first.headers.get("cache-control"), "public, max-age=86400");
    assert.equal(first.headers.get("content-length"), String(BYTES.length));
    assert.deepEqual(origin.takePaths(), [`/main/${NEW}.narinfo`, `/main/nar/${NEW}.nar`]);
    await edge.settle();
    const again = await get(PULLED);
    assert.deepEqual([again.text === BYTES.toString(), again.headers.get("cf-cache-status")], [true, "HIT"]);
    const part = await get(PULLED, {
      headers: { range: "bytes=4-6", "if-range": first.headers.get("etag") ?? "" },
    });
    assert.deepEqual([part.status, part.text], [206, "NAR"]);
    assert.deepEqual(origin.takePaths(), []);
    const read = { indexes: [`main/${NAR_HASH}`], blobs: ["main", NAR_HASH] };
    assert.deepEqual(edge.takeReads(), [read, read, read]);
    assert.deepEqual((await edge.keys()).sort(), Object.keys(OBJECTS).sort());
  });

  it("does not give a NAR that has become another's since its narinfo was read", async () => {
    has(says(200, atticNarinfo({ NarHash: `sha256:${"0".repeat(64)}` })));
    assert.equal((await get(`/main/nar/${NAR_HASH}-${"8".repeat(32)}.nar`)).status, 404);
    has(says(200, atticNarinfo()));
    assert.equal((await get(`/main/nar/${"0".repeat(52)}-${NEW}.nar`)).status, 404);
    assert.deepEqual(origin.takePaths(), [`/main/${NEW}.narinfo`]);
  });

  it("does not count a HEAD of a NAR as its use, at the server or here", async () => {
    has(says(200, atticNarinfo()));
    const other = createHash("sha256").update("other").digest();
    has(says(200, atticNarinfo({ NarHash: `sha256:${other.toString("hex")}` })));
    edge.takeReads();
    const path = `/main/nar/${toNixBase32(other)}-${NEW}.nar`;
    assert.deepEqual([(await get(path, { method: "HEAD" })).status, edge.takeReads()], [200, []]);
    assert.deepEqual(origin.takePaths(), [`/main/${NEW}.narinfo`]);
  });

  it("follows the server to its bucket", async () => {
    await using store = await Origin.start();
    store.answers = { "/x.chunk?sig=1": says(200, BYTES) };
    const { path } = another("redirect", (_, response) =>
      response.writeHead(307, { location: `${store.url}x.chunk?sig=1` }).end(),
    );
    assert.ok((await get(path)).text === BYTES.toString());
    await edge.settle();
  });

  it("says that a path is missing where the server says so, or does not give it to everybody", async () => {
    for (const status of [404, 410, 401, 403]) {
      has(says(status, "{}"));
      assert.equal((await get(`/main/${NEW}.narinfo`)).status, 404);
      assert.equal((await get(another("gone", says(status, "{}")).path)).status, 404);
    }
  });

  it("never asks for what is private", async () => {
    has(says(200, atticNarinfo()));
    const headers = basic(tokenFor({ "*": { r: 1 } }));
    for (const path of [
      `/team/${NEW}.narinfo`,
      `/team/nar/${NAR_HASH}-${NEW}.nar`,
      `/unknown/${NEW}.narinfo`,
    ]) {
      assert.equal((await get(path)).status, 401);
      assert.equal((await get(path, { headers })).status, 404);
    }
    assert.deepEqual(origin.takePaths(), []);
  });

  const nonsense: Record<string, Answer> = {
    "an error": says(500, "oops"),
    "a page": says(200, "<!doctype html><title>Welcome</title>"),
    nothing: says(200, ""),
    "another path's narinfo": says(200, atticNarinfo({ StorePath: `/nix/store/${HASH}-hello` })),
    "a path of another store": says(200, atticNarinfo({ StorePath: `/other/${NEW}-hello` })),
    "a URL of somewhere else": says(200, atticNarinfo({ URL: "https://evil.example.com/x.nar" })),
    "a hash that is none": says(200, atticNarinfo({ NarHash: "sha256:zz" })),
    "no hash": says(200, atticNarinfo({ NarHash: undefined })),
    "no size": says(200, atticNarinfo({ NarSize: "many" })),
    "a narinfo with no end": (_, response) => {
      const more = () => response.write("x".repeat(1e6));
      response.writeHead(200).on("drain", more);
      more();
    },
  };
  for (const [what, answer] of Object.entries(nonsense))
    it(`takes no ${what} for a narinfo`, async () => {
      has(answer);
      const narinfo = await get(`/main/${NEW}.narinfo`);
      assert.deepEqual(
        [narinfo.status, narinfo.text],
        [502, "The server behind the edge answered nonsense.\n"],
      );
      assert.equal(narinfo.headers.get("cache-control"), "no-store");
    });

  it("says that the server cannot be reached", async () => {
    has((request) => request.socket.destroy());
    const { status, text } = await get(`/main/${NEW}.narinfo`);
    assert.deepEqual([status, text], [502, "The server behind the edge cannot be reached.\n"]);
  });

  it("says that the server takes too long, and waits no longer", async () => {
    const silent: Answer = () => undefined;
    const halfway: Answer = (_, response) => response.writeHead(200).write("StorePath: ");
    has(silent);
    const first = get(`/main/${NEW}.narinfo`);
    const second = get(another("silent", silent).path);
    origin.answers = { ...origin.answers, [`/main/${"7".repeat(32)}.narinfo`]: halfway };
    for (const { status, text } of await Promise.all([first, second, get(`/main/${"7".repeat(32)}.narinfo`)]))
      assert.deepEqual([status, text], [504, TOO_LONG]);
  });

  it("answers with no part of a NAR where the server breaks off, and keeps none", async () => {
    const half = BYTES.subarray(0, BYTES.length / 2);
    const breaks: Record<string, Answer> = {
      length: (_, response) => {
        response.writeHead(200, { "content-length": BYTES.length });
        response.write(half, () => response.destroy());
      },
      chunked: (_, response) => {
        response.writeHead(200);
        response.write(half, () => response.destroy());
      },
      stalled: (_, response) => {
        response.writeHead(200, { "content-length": BYTES.length });
        response.write(half);
      },
    };
    const reached = "The server behind the edge cannot be reached.\n";
    const expected = { length: [502, reached], chunked: [502, reached], stalled: [504, TOO_LONG] };
    await Promise.all(
      Object.entries(breaks).map(async ([name, answer]) => {
        const { path } = another(name, answer);
        const { status, text } = await get(path);
        assert.deepEqual([status, text], expected[name as keyof typeof expected], name);
        another(name, says(200, BYTES));
        assert.ok((await get(path)).text === BYTES.toString(), name);
      }),
    );
    await edge.settle();
  });

  it("goes on where the client has gone", async () => {
    const { path } = another("left", says(200, Buffer.alloc(20e6)));
    const answer = await edge.fetch(path);
    await answer.body?.cancel();
    await edge.settle();
    assert.equal((await get(`/main/${HASH}.narinfo`)).status, 200);
  });

  it("is off where it is not asked for", async () => {
    has(says(200, atticNarinfo()));
    await using off = await TestWorker.start({ config: CONFIG });
    for (const path of [`/main/${NEW}.narinfo`, PULLED]) assert.equal((await off.fetch(path)).status, 404);
    assert.deepEqual(origin.takePaths(), []);
  });

  /** Lets the server have one more path. */
  function another(name: string, nar: Answer): { path: string } {
    const digest = createHash("sha256").update(name).digest();
    const narHash = toNixBase32(digest);
    const hash = narHash.slice(-32);
    const narinfo = atticNarinfo({
      StorePath: `/nix/store/${hash}-x`,
      URL: `nar/${hash}.nar`,
      NarHash: `sha256:${digest.toString("hex")}`,
    });
    const more = { [`/main/${hash}.narinfo`]: says(200, narinfo), [`/main/nar/${hash}.nar`]: nar };
    origin.answers = { ...origin.answers, ...more };
    return { path: `/main/nar/${narHash}-${hash}.nar` };
  }
});
