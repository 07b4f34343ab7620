import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, describe, it } from "mocha";
import type { Answer } from "./support/answer.ts";
import { configPath } from "./support/contract.ts";
import { decompress } from "./support/decompress.ts";
import { archive } from "../../sandbox/welcome/store-path.ts";
import { makePath, pathOf, type Path, sha256 } from "./support/nar.ts";
import { isSignedBy, parseNarInfo } from "./support/narinfo.ts";
import { contract } from "./support/suite.ts";

const DERIVER = "00000000000000000000000000000000-x.drv";
const REFERENCES = ["11111111111111111111111111111111-a", "22222222222222222222222222222222-b"];
const UNKNOWN = "0".repeat(32);

contract("pulling", (attic) => {
  const push = async (path: Pick<Path, "info" | "nar">) => {
    const headers = { "x-attic-nar-info": JSON.stringify(path.info) };
    const answer = await attic.call("PUT", "/_api/v1/upload-path", { body: path.nar, headers });
    assert.equal(answer.status, 200, answer.text);
  };
  const narInfoOf = async (cache: string, hash: string) => {
    const answer = await attic.call("GET", `/${cache}/${hash}.narinfo`);
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "text/x-nix-narinfo"]);
    return parseNarInfo(answer.text);
  };
  /** Fetches a NAR as Nix does: where the narinfo says, and from where it is sent on to, with no token there. */
  const fetchNar = async (cache: string, narInfo: Readonly<Record<string, string>>): Promise<Buffer> => {
    const answer = await attic.call("GET", `/${cache}/${narInfo.URL ?? ""}`);
    const bytes = answer.status === 307 ? await follow(answer) : bodyOf(answer);
    return decompress(narInfo.Compression ?? "", bytes);
  };

  let cache: string;
  let path: Path;
  before(async () => {
    cache = await attic.cache({ priority: 12, store_dir: "/nix/store" });
    path = makePath(cache, 1000, {
      references: REFERENCES,
      deriver: DERIVER,
      ca: "fixed:r:sha256:x",
      sigs: ["o:AA=="],
    });
    await push(path);
  });

  it("says what kind of cache it is", async () => {
    const answer = await attic.call("GET", `/${cache}/nix-cache-info`);
    assert.equal(answer.headers.get("content-type"), "text/x-nix-cache-info");
    assert.equal(answer.text, "WantMassQuery: 1\nStoreDir: /nix/store\nPriority: 12\n");
    assert.equal(answer.headers.get("x-attic-cache-visibility"), null);
  });

  it("says the same of a cache as its configuration does", async () => {
    const info = await attic.call("GET", `/${cache}/attic-cache-info`);
    assert.deepEqual(info.json(), await attic.config(cache));
  });

  it("describes a path, with all that was pushed but its other signatures", async () => {
    const { Sig, Compression, ...rest } = await narInfoOf(cache, path.hash);
    assert.deepEqual(rest, {
      StorePath: path.info.store_path,
      URL: `nar/${path.hash}.nar`,
      NarHash: sha256(path.nar),
      NarSize: String(path.nar.length),
      References: REFERENCES.join(" "),
      Deriver: DERIVER,
      CA: "fixed:r:sha256:x",
    });
    assert.match(Sig ?? "", new RegExp(`^${cache}:[A-Za-z0-9+/]{86}==$`));
    assert.ok(["none", "zstd", "br", "xz"].includes(Compression ?? ""));
  });

  it("describes it in the order that the real server keeps", async () => {
    const names = Object.keys(await narInfoOf(cache, path.hash));
    assert.deepEqual(names, [
      ...["StorePath", "URL", "Compression", "NarHash", "NarSize", "References", "Deriver", "Sig", "CA"],
    ]);
  });

  it("signs a path with the cache's key, and with a new one once there is one", async () => {
    const own = await attic.cache();
    for (const references of [[], REFERENCES.slice(0, 1), REFERENCES]) {
      const signed = makePath(own, 50, { references });
      await push(signed);
      const { public_key: key } = await attic.config(own);
      assert.ok(isSignedBy(await narInfoOf(own, signed.hash), key));
      (await attic.call("PATCH", configPath(own), { json: { keypair: "Generate" } })).isDone();
      const { public_key: other } = await attic.config(own);
      const again = await narInfoOf(own, signed.hash);
      assert.deepEqual([isSignedBy(again, key), isSignedBy(again, other)], [false, true]);
    }
  });

  for (const [what, make] of Object.entries({
    "a small NAR": () => archive(randomBytes(500)),
    "a NAR of one megabyte": () => archive(randomBytes(1_000_000)),
    "a NAR of five megabytes": () => archive(randomBytes(5_000_000)),
    "a NAR of a megabyte of nothing": () => archive(Buffer.alloc(1_000_000)),
  })) {
    it(`gives ${what} as it was pushed`, async () => {
      const pushed = pathOf(cache, make());
      await push(pushed);
      const narInfo = await narInfoOf(cache, pushed.hash);
      const nar = await fetchNar(cache, narInfo);
      assert.equal(nar.length, pushed.nar.length);
      assert.equal(sha256(nar), narInfo.NarHash);
    });
  }

  it("gives the same NAR under every name that it was pushed by", async () => {
    const other = await attic.cache();
    const twin = pathOf(other, path.nar);
    await push(twin);
    assert.deepEqual(await fetchNar(other, await narInfoOf(other, twin.hash)), path.nar);
  });

  it("sends on to the store with an address that needs no token and ends, or streams the NAR itself", async () => {
    const answer = await attic.call("GET", `/${cache}/nar/${path.hash}.nar`);
    if (answer.status === 200) {
      assert.equal(answer.headers.get("content-type"), "application/x-nix-nar");
      return;
    }
    assert.deepEqual([answer.status, answer.text], [307, ""]);
    const location = new URL(answer.headers.get("location") ?? "");
    assert.equal(location.searchParams.get("X-Amz-Expires"), "600");
    assert.match(location.pathname, /^\/.+\/[0-9a-f-]{36}\.chunk$/);
    location.searchParams.set("X-Amz-Signature", "0".repeat(64));
    assert.equal((await fetch(location)).status, 403);
  });

  describe("by HEAD", () => {
    it("answers as by GET, with no body", async () => {
      for (const where of [`nix-cache-info`, `attic-cache-info`, `${path.hash}.narinfo`]) {
        const [head, get] = [
          await attic.call("HEAD", `/${cache}/${where}`),
          await attic.call("GET", `/${cache}/${where}`),
        ];
        assert.deepEqual([head.status, head.text], [200, ""]);
        for (const name of ["content-type", "content-length"])
          assert.equal(head.headers.get(name), get.headers.get(name), name);
      }
    });

    it("answers for a NAR", async () => {
      const answer = await attic.call("HEAD", `/${cache}/nar/${path.hash}.nar`);
      assert.deepEqual([[200, 307].includes(answer.status), answer.text], [true, ""]);
    });

    it("says that a path is not there, or not for who asks", async () => {
      const missing = await attic.call("HEAD", `/${cache}/${UNKNOWN}.narinfo`);
      const hidden = await attic.call("HEAD", `/${cache}/${path.hash}.narinfo`, { token: null });
      assert.deepEqual([missing.status, hidden.status, missing.text + hidden.text], [404, 401, ""]);
    });
  });

  it("says of a public cache that it is one", async () => {
    const open = await attic.cache({ is_public: true });
    const twin = pathOf(open, path.nar);
    await push(twin);
    for (const where of ["nix-cache-info", `${twin.hash}.narinfo`, `nar/${twin.hash}.nar`]) {
      const answer = await attic.call("GET", `/${open}/${where}`, { token: null });
      assert.equal(answer.headers.get("x-attic-cache-visibility"), "public", where);
    }
    const config = await attic.call("GET", configPath(open), { token: null });
    assert.equal(config.headers.get("x-attic-cache-visibility"), null);
  });

  it("says that a path is not there", async () => {
    (await attic.call("GET", `/${cache}/${UNKNOWN}.narinfo`)).isRefused("NoSuchObject");
    (await attic.call("GET", `/${cache}/nar/${UNKNOWN}.nar`)).isRefused("NoSuchObject");
  });

  it("says so to everybody, and in the same words for a cache that is not there", async () => {
    for (const [name, token] of [
      [cache, null],
      [attic.name(), null],
      [attic.name(), undefined],
    ] as const) {
      const options = token === null ? { token } : {};
      (await attic.call("GET", `/${name}/${UNKNOWN}.narinfo`, options)).isRefused("NoSuchObject");
      (await attic.call("GET", `/${name}/nar/${UNKNOWN}.nar`, options)).isRefused("NoSuchObject");
    }
  });

  it("does not find a path of another cache", async () => {
    const other = await attic.cache();
    (await attic.call("GET", `/${other}/${path.hash}.narinfo`)).isRefused("NoSuchObject");
    (await attic.call("GET", `/${other}/nar/${path.hash}.nar`)).isRefused("NoSuchObject");
  });

  it("finds nothing any more once the cache is destroyed, nor in one that takes its name", async () => {
    const gone = await attic.cache();
    const lost = pathOf(gone, path.nar);
    await push(lost);
    (await attic.call("DELETE", configPath(gone))).isDone();
    (await attic.call("GET", `/${gone}/${lost.hash}.narinfo`)).isRefused("NoSuchObject");
    (await attic.call("GET", `/${gone}/nar/${lost.hash}.nar`)).isRefused("NoSuchObject");
    if (attic.server.softDeletion === true) return;
    await attic.cache({}, gone).catch(() => undefined);
    (await attic.call("GET", `/${gone}/${lost.hash}.narinfo`)).isRefused("NoSuchObject");
  });

  it("stumbles over what is no hash of a path", async () => {
    for (const bad of ["x", "e".repeat(32), "A".repeat(32), "0".repeat(33)]) {
      (await attic.call("GET", `/${cache}/${bad}.narinfo`)).isRefused("InvalidStorePathHash");
      (await attic.call("GET", `/${cache}/nar/${bad}.nar`)).isRefused("InvalidStorePathHash");
    }
  });
});

contract("paths", (attic) => {
  it("begin with a page for people, which is the same for everybody", async () => {
    const pages = [await attic.call("GET", "/"), await attic.call("GET", "/", { token: null })];
    for (const page of pages) {
      assert.equal(page.status, 200);
      assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
      assert.match(page.text, /Attic/);
    }
    const head = await attic.call("HEAD", "/");
    assert.deepEqual([head.status, head.text], [200, ""]);
  });

  it("that are none of Attic's are not found, by whatever method", async () => {
    const cache = await attic.cache();
    const paths = [
      ...["/nothing", `/${cache}`, `/${cache}/`, `/${cache}/nothing`, `/${cache}/${UNKNOWN}`],
      ...[`/${cache}/${UNKNOWN}.ls`, `/${cache}/nar/${UNKNOWN}.nar.xz`, `/${cache}/log/x`],
      ...["/_api", "/_api/v1/nothing", "/_api/v1/cache-config", configPath(""), `${configPath(cache)}/`],
      ...["/_api/v1/caches/nothing/more"],
    ];
    for (const path of paths) (await attic.call("GET", path)).isRefused("NotFound");
    for (const method of ["POST", "PUT", "DELETE"])
      (await attic.call(method, "/nothing/at/all/here")).isRefused("NotFound");
  });

  it("take the methods that they have, and name them for others", async () => {
    const cache = await attic.cache();
    const allowed = {
      "/": "GET,HEAD",
      [configPath(cache)]: "GET,HEAD,POST,PATCH,DELETE",
      [`/${cache}/nix-cache-info`]: "GET,HEAD",
      [`/${cache}/${UNKNOWN}.narinfo`]: "GET,HEAD",
      [`/${cache}/nar/${UNKNOWN}.nar`]: "GET,HEAD",
      "/_api/v1/get-missing-paths": "POST",
      "/_api/v1/upload-path": "PUT",
    };
    for (const [path, methods] of Object.entries(allowed)) {
      const answer = await attic.call("OPTIONS", path);
      assert.deepEqual([answer.status, answer.headers.get("allow"), answer.text], [405, methods, ""], path);
    }
  });

  it("may have a query, which nobody looks at", async () => {
    const cache = await attic.cache();
    assert.equal((await attic.call("GET", `${configPath(cache)}?x=1`)).status, 200);
    assert.equal((await attic.call("GET", `/${cache}/nix-cache-info?x`)).status, 200);
  });

  it("with a name that is none are refused, whoever asks", async () => {
    for (const path of [
      "/_x/nix-cache-info",
      `/_x/${UNKNOWN}.narinfo`,
      `/_x/nar/${UNKNOWN}.nar`,
      configPath("_x"),
    ])
      (await attic.call("GET", path, { token: null })).isMalformed(
        400,
        /^Invalid URL: Invalid cache name "_x"$/,
      );
  });
});

function bodyOf(answer: Answer): Buffer {
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

async function follow(answer: Answer): Promise<Buffer> {
  const response = await fetch(answer.headers.get("location") ?? "");
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}
