import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { archive } from "../../../sandbox/welcome/store-path.ts";
import { makePath, pathOf, sha256 } from "../../contract/support/nar.ts";
import { isSignedBy, parseNarInfo } from "../../contract/support/narinfo.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { Proxy } from "../../support/proxy.ts";

const REFERENCES = ["11111111111111111111111111111111-a", "22222222222222222222222222222222-b"];
const DERIVER = "00000000000000000000000000000000-x.drv";

describe("the mirror", function () {
  this.timeout(60_000);
  let world: MirrorWorld;
  let attic: Proxy;
  let store: Proxy;
  let key: string;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    key = (await world.api.config("main")).public_key;
    attic = await Proxy.start(world.attic.url);
    store = await Proxy.start(`${world.env.S3_ENDPOINT ?? ""}/`);
  });
  after(async () => {
    await attic.stop();
    await store.stop();
    await world.stop();
  });

  /** Runs it through the proxies, and expects that all goes well. */
  const copies = async (config: Readonly<Record<string, unknown>> = {}) => {
    attic.forget();
    store.forget();
    const env = { ATTIC_URL: attic.url, S3_ENDPOINT: store.url.replace(/\/$/, "") };
    const result = await world.run({ env, config });
    assert.equal(result.code, 0, result.printed);
    assert.deepEqual(await world.bucket.faults(key), []);
    return result;
  };
  const writes = () => store.seen.filter(({ method }) => method === "PUT" || method === "POST").length;
  const fetched = () => attic.seen.filter(({ path }) => path.includes("/nar/")).length;
  const narInfosAsked = () => attic.seen.filter(({ path }) => path.endsWith(".narinfo")).length;

  it("copies every path with at most two writes for each and five more", async () => {
    const small = await world.pushSome("main", 20, 1000);
    const paths = [...small, ...(await world.pushSome("main", 5, 400_000))];
    await copies();
    assert.deepEqual(await world.bucket.paths(), paths.map(({ hash }) => hash).sort());
    assert.equal((await world.bucket.nars()).length, 25);
    assert.equal(writes(), 2 * 25 + 4, store.calls.join(", "));
  });

  it("writes what the cache is", async () => {
    assert.equal(
      (await world.bucket.get("main/nix-cache-info")).toString(),
      "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n",
    );
  });

  it("asks neither for narinfos nor for NARs, and writes its status only, where nothing is new", async () => {
    await copies();
    assert.deepEqual(store.calls, ["GET memo.json", "GET paths", "PUT status.json"]);
    assert.deepEqual(attic.calls, ["GET main"]);
  });

  it("keeps all that the narinfo says, with the file at the edge in it", async () => {
    const more = { references: REFERENCES, deriver: DERIVER, ca: "fixed:r:sha256:x" };
    const path = makePath("main", 5000, more);
    await world.push(path);
    await copies();
    const text = (await world.api.call("GET", `main/${path.hash}.narinfo`)).text;
    const { URL: url = "", FileHash, FileSize, ...kept } = await world.bucket.narInfo(path.hash);
    const { URL: _, ...said } = parseNarInfo(text);
    assert.deepEqual(kept, said);
    assert.match(url, /^nar\/[0-9a-z]{52}-[0-9a-z]{12}\.nar\.zst$/);
    assert.match(FileHash ?? "", /^sha256:[0-9a-z]{52}$/);
    assert.equal(FileSize, String((await world.bucket.get(`main/${url}`)).length));
  });

  it("stores one NAR for paths of equal contents, and fetches it once, in one run and in later ones", async () => {
    const [before, nar] = [(await world.bucket.nars()).length, archive(Buffer.alloc(3000, "same"))];
    await world.push(...Array.from({ length: 6 }, () => pathOf("main", nar)));
    await copies();
    assert.deepEqual([fetched(), narInfosAsked()], [1, 6]);
    assert.equal(writes(), 1 + 6 + 3);
    await world.push(pathOf("main", nar));
    await copies();
    assert.deepEqual([fetched(), (await world.bucket.nars()).length], [0, before + 1]);
  });

  it("keeps caches apart that hold the same NAR", async () => {
    await world.api.create("second");
    const nar = archive(Buffer.alloc(2000, "both"));
    const [one, two] = [pathOf("main", nar), pathOf("second", nar)];
    await world.push(one, two);
    await copies({ caches: ["main", "second"] });
    assert.deepEqual(await world.bucket.paths("second"), [two.hash]);
    assert.equal((await world.bucket.nars("second")).length, 1);
    assert.deepEqual(await world.bucket.faults((await world.api.config("second")).public_key, "second"), []);
  });

  it("takes a cache away that is mirrored no longer, narinfos at once and NARs after their time", async () => {
    await copies();
    assert.deepEqual(await world.bucket.paths("second"), []);
    assert.deepEqual((await world.bucket.keys("second/")).length, 1);
    assert.equal((await world.status()).caches.second, undefined);
    await copies({ graceSeconds: 0 });
    assert.deepEqual(await world.bucket.keys("second/"), []);
  });

  it("takes the narinfo of a path that is gone away at once, its NAR after the time of grace", async () => {
    const [gone] = await world.pushSome("main", 1, 700);
    await copies();
    const { URL: url } = await world.bucket.narInfo(gone!.hash);
    await world.forget(gone!);
    await copies();
    assert.ok(!(await world.bucket.paths()).includes(gone!.hash));
    assert.ok((await world.bucket.keys()).includes(`main/${url ?? ""}`));
    assert.equal((await world.status()).caches.main!.removed, 1);
    await copies();
    assert.ok((await world.bucket.keys()).includes(`main/${url ?? ""}`));
    await copies({ graceSeconds: 0 });
    assert.ok(!(await world.bucket.keys()).includes(`main/${url ?? ""}`));
  });

  it("leaves a NAR that another path still names", async () => {
    const nar = archive(Buffer.alloc(900, "twin"));
    const [one, two] = [pathOf("main", nar), pathOf("main", nar)];
    await world.push(one, two);
    await copies();
    await world.forget(one);
    await copies({ graceSeconds: 0 });
    await copies({ graceSeconds: 0 });
    assert.ok((await world.bucket.paths()).includes(two.hash));
  });

  it("uses a NAR again that waits to be deleted, without fetching it", async () => {
    const nar = archive(Buffer.alloc(900, "back"));
    const one = pathOf("main", nar);
    await world.push(one);
    await copies();
    const before = await world.bucket.nars();
    await world.forget(one);
    await copies();
    await world.push(pathOf("main", nar));
    await copies();
    assert.deepEqual([fetched(), await world.bucket.nars()], [0, before]);
    await copies({ graceSeconds: 0 });
    assert.deepEqual(await world.bucket.nars(), before);
  });

  it("replaces a path under whose hash there is another NAR", async () => {
    const [first] = await world.pushSome("main", 1, 800);
    await copies();
    const other = pathOf("main", archive(Buffer.alloc(1234, "other")), first!.info);
    const info = { ...other.info, nar_hash: sha256(other.nar), nar_size: other.nar.length };
    await world.push({ info, nar: other.nar });
    await copies();
    assert.equal((await world.bucket.narInfo(first!.hash)).NarHash, sha256(other.nar));
  });

  it("writes a narinfo anew whose references changed, and fetches no NAR for it", async () => {
    const [path] = await world.pushSome("main", 1, 800);
    await copies();
    const changed = { ...path!.info, references: REFERENCES };
    await world.push({ info: changed, nar: path!.nar });
    await copies();
    assert.equal((await world.bucket.narInfo(path!.hash)).References, REFERENCES.join(" "));
    assert.deepEqual([narInfosAsked(), fetched(), writes()], [1, 0, 1 + 3]);
  });

  it("writes all narinfos of a cache anew whose key changed, and fetches no NAR for it", async () => {
    await world.api.configure("main", { keypair: "Generate" });
    const old = key;
    key = (await world.api.config("main")).public_key;
    await copies();
    const paths = await world.served();
    assert.deepEqual([narInfosAsked(), fetched()], [paths.length, 0]);
    const info = await world.bucket.narInfo(paths[0]!);
    assert.deepEqual([isSignedBy(info, old), isSignedBy(info, key)], [false, true]);
  });

  it("writes nix-cache-info anew where the cache's priority changed, and nothing else", async () => {
    await world.api.configure("main", { priority: 12 });
    await copies();
    assert.deepEqual(
      store.calls.filter((call) => call.startsWith("PUT")),
      ["PUT memo.json", "PUT nix-cache-info", "PUT paths", "PUT status.json"],
    );
    assert.match((await world.bucket.get("main/nix-cache-info")).toString(), /^Priority: 12$/m);
  });

  it("leaves a path for later whose NAR is still being pushed", async () => {
    const [path] = await world.pushSome("main", 1, 800);
    const state = async (to: string) =>
      world.sql("UPDATE nar SET state = $1 WHERE nar_hash = $2", [to, path!.info.nar_hash]);
    await state("P");
    await copies();
    assert.ok(!(await world.bucket.paths()).includes(path!.hash));
    await state("V");
    await copies();
    assert.ok((await world.bucket.paths()).includes(path!.hash));
  });

  it("says how it went", async () => {
    await copies();
    const { version, ok, caches, startedAt, finishedAt } = await world.status();
    assert.deepEqual([version, ok], [1, true]);
    assert.ok(Date.parse(finishedAt) >= Date.parse(startedAt));
    const nars = new Set(
      await Promise.all((await world.served()).map(async (hash) => (await world.bucket.narInfo(hash)).URL)),
    );
    const sizes = await Promise.all(
      [...nars].map(async (url) => (await world.bucket.get(`main/${url ?? ""}`)).length),
    );
    assert.deepEqual(caches, {
      main: {
        paths: (await world.served()).length,
        nars: nars.size,
        bytes: sizes.reduce((sum, size) => sum + size, 0),
        added: 0,
        removed: 0,
        failed: 0,
        lagSeconds: 0,
      },
    });
  });

  it("takes all narinfos away of a cache that is destroyed", async () => {
    await world.api.create("doomed");
    await world.pushSome("doomed", 3, 100);
    await copies({ caches: ["main", "doomed"] });
    assert.equal((await world.bucket.paths("doomed")).length, 3);
    await world.api.destroy("doomed");
    const { lines } = await copies({ caches: ["main", "doomed"] });
    assert.deepEqual(await world.bucket.paths("doomed"), []);
    assert.ok(lines.some(({ message }) => message.includes("no such cache")));
  });

  it("takes all narinfos away of a cache that is softly deleted", async () => {
    await world.api.create("faded");
    await world.pushSome("faded", 2, 100);
    await copies({ caches: ["main", "faded"] });
    await world.sql("UPDATE cache SET deleted_at = now() WHERE name = 'faded'");
    await copies({ caches: ["main", "faded"] });
    assert.deepEqual(await world.bucket.paths("faded"), []);
  });

  it("finds out what is in the bucket where its index is lost, and uploads no NAR again", async () => {
    const before = await world.bucket.nars();
    for (const name of ["paths", "memo.json"]) {
      await world.bucket.delete(`_edge/index/${name}`);
      await copies();
      assert.deepEqual([fetched(), await world.bucket.nars()], [0, before]);
      assert.ok(!store.calls.some((call) => /^PUT .*\.(narinfo|nar\.zst)$/.test(call)));
      assert.deepEqual(await world.bucket.paths(), await world.served());
    }
  });

  for (const [what, bytes] of Object.entries({
    nothing: Buffer.alloc(0),
    "a few letters": Buffer.from("x y z\n"),
    zeros: Buffer.alloc(100_000),
  })) {
    it(`does the same where the index is ${what}`, async () => {
      await world.bucket.put("_edge/index/paths", bytes);
      await copies();
      assert.equal(fetched(), 0);
      await copies();
      assert.equal(store.seen.length, 3);
    });
  }

  it("takes a narinfo away that it finds without its NAR, and copies the path anew", async () => {
    const [hash = ""] = await world.served();
    const { URL: url = "" } = await world.bucket.narInfo(hash);
    await world.bucket.delete(`main/${url}`);
    await world.bucket.delete("_edge/index/memo.json");
    await copies();
    assert.notEqual((await world.bucket.narInfo(hash)).URL, url);
  });
});

for (const [type, extension] of Object.entries({ none: "", brotli: ".br" })) {
  describe(`the mirror of a server that compresses by ${type}`, function () {
    this.timeout(60_000);
    let world: MirrorWorld;
    before(async () => {
      world = await MirrorWorld.start({ onS3: true, toml: { compression: { type } } });
      await world.api.create("main");
    });
    after(() => world.stop());

    it("copies NARs of one chunk, to which it is sent on, without its token", async () => {
      const [path] = await world.pushSome("main", 1, 5000);
      const { code, printed } = await world.run();
      assert.equal(code, 0, printed);
      const { public_key: key } = await world.api.config("main");
      assert.deepEqual(await world.bucket.faults(key), []);
      assert.ok((await world.bucket.narInfo(path!.hash)).URL!.endsWith(`.nar${extension}`));
    });

    it(`${type === "none" ? "copies" : "refuses"} one of many chunks${type === "none" ? "" : ", which Nix cannot read either"}`, async () => {
      const [path] = await world.pushSome("main", 1, 900_000);
      const { code } = await world.run();
      assert.equal(code, type === "none" ? 0 : 3);
      assert.equal((await world.bucket.paths()).includes(path!.hash), type === "none");
    });
  });
}
