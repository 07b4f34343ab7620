import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { narHashOf } from "../../../jobs/mirror/nar/base32.ts";
import { type Path, pathOf } from "../../contract/support/nar.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { AnalyticsApi } from "./support/analytics.ts";

const DAY = 86_400;

describe("reads at the edge", function () {
  this.timeout(60_000);
  let world: MirrorWorld;
  let api: AnalyticsApi;
  let env: Record<string, string>;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    api = await AnalyticsApi.start();
    env = { ...api.env, TOUCH_DATABASE_URL: world.attic.databaseUrl };
  });
  after(async () => {
    await api.stop();
    await world.stop();
  });
  beforeEach(() => {
    api.points.length = 0;
    api.asked.length = 0;
    api.fault = undefined;
  });

  const now = () => Math.floor(Date.now() / 1000);
  const narOf = ({ info }: Path) => narHashOf(String(info.nar_hash)) ?? "";
  const read = (path: Path, at: number, cache = "main") => api.points.push({ cache, nar: narOf(path), at });
  const age = async (paths: readonly Path[], days: number) =>
    world.sql(
      "UPDATE object SET created_at = now() - make_interval(days => $1), last_accessed_at = NULL WHERE store_path_hash = ANY ($2)",
      [days, paths.map(({ hash }) => hash)],
    );
  const accessed = async ({ hash }: Path) => {
    const sql =
      "SELECT extract(epoch FROM last_accessed_at)::float8 AS at FROM object WHERE store_path_hash = $1";
    return (await world.sql<{ at: number | null }>(sql, [hash]))[0]?.at ?? undefined;
  };
  const tells = async (more: Record<string, string> = {}) => {
    const result = await world.run({ env: { ...env, ...more } });
    assert.equal(result.code, 0, result.printed);
    return result;
  };

  it("keep a path that is popular at the edge from the server's collector, which takes another one of the same age", async () => {
    const [popular, forgotten] = (await world.pushSome("main", 2, 400)) as [Path, Path];
    await world.api.configure("main", { retention_period: { Period: 7 * DAY } });
    // The mirror itself fetches NARs, which counts as an access; that was long ago.
    await tells();
    await age([popular, forgotten], 30);
    read(popular, now() - 60);
    await tells();
    const { code } = await world.attic.once("garbage-collector-once");
    assert.equal(code, 0);
    assert.deepEqual(await world.served(), [popular.hash]);
    await tells();
    assert.deepEqual(await world.bucket.paths(), [popular.hash]);
  });

  it("move the last access forward to when it was, and never back", async () => {
    const [path] = (await world.pushSome("main", 1, 300)) as [Path];
    await tells();
    await age([path], 3);
    const at = now() - 500;
    read(path, at);
    await tells();
    assert.equal(await accessed(path), at);
    api.points.length = 0;
    read(path, at - 200);
    await tells();
    assert.equal(await accessed(path), at);
  });

  it("do not reach into the future", async () => {
    const [path] = (await world.pushSome("main", 1, 300)) as [Path];
    await tells();
    await age([path], 3);
    const data = [{ cache: "main", nar: narOf(path), last_read: "2099-01-01 00:00:00" }];
    api.fault = (response) => response.writeHead(200).end(JSON.stringify({ data }));
    await tells();
    const at = (await accessed(path)) ?? 0;
    assert.ok(at > now() - 60 && at <= now() + 1, String(at));
  });

  it("count for all paths of the cache with the NAR, and for none of another cache", async () => {
    await world.api.create("other");
    const [one] = (await world.pushSome("main", 1, 300)) as [Path];
    const [two, foreign] = [pathOf("main", one.nar), pathOf("other", one.nar)];
    await world.push(two, foreign);
    await tells();
    await age([one, two, foreign], 3);
    const at = now() - 100;
    read(one, at);
    read(one, at, "other");
    await tells();
    // The mirror serves main alone.
    assert.deepEqual(
      [await accessed(one), await accessed(two), await accessed(foreign)],
      [at, at, undefined],
    );
  });

  it("are asked for since the last time, and a little before", async () => {
    await tells();
    const [{ to } = { to: 0 }] = api.asked;
    api.asked.length = 0;
    await tells();
    assert.deepEqual(
      api.asked.map(({ from }) => from),
      [to - 900],
    );
  });

  it("are asked for in halves where they are too many for one answer", async () => {
    const [path] = (await world.pushSome("main", 1, 300)) as [Path];
    await tells();
    await age([path], 3);
    const start = now() - 800;
    for (let index = 0; index < 15_000; index += 1)
      api.points.push({
        cache: "main",
        nar: `0${String(index).padStart(51, "0")}`,
        at: start + (index % 700),
      });
    read(path, start + 650);
    api.asked.length = 0;
    await tells();
    assert.ok(api.asked.length >= 3);
    assert.equal(await accessed(path), start + 650);
  });

  it("with names that are none change nothing, whatever stands in them", async () => {
    const evil = "main'; DROP TABLE object; --";
    api.points.push({ cache: evil, nar: "0".repeat(52), at: now() - 5 });
    api.points.push({ cache: "main", nar: "'; DROP TABLE object; --", at: now() - 5 });
    await tells();
    assert.ok((await world.served()).length > 0);
  });

  it("of a dataset that is not there yet are none", async () => {
    await tells({ ANALYTICS_DATASET: "not_yet" });
  });

  for (const [what, fault] of Object.entries<
    (response: Parameters<NonNullable<AnalyticsApi["fault"]>>[0]) => void
  >({
    "answers 500": (response) => response.writeHead(500).end("x"),
    "answers 403": (response) => response.writeHead(403).end("x"),
    "answers nonsense": (response) => response.writeHead(200).end("<html>"),
    "answers JSON that has no rows": (response) => response.writeHead(200).end('{"data":{}}'),
    "never answers": () => undefined,
  })) {
    it(`fail nothing where the API ${what}, but the run says so`, async () => {
      const [path] = (await world.pushSome("main", 1, 300)) as [Path];
      api.fault = fault;
      const { code, lines } = await world.run({ env, config: { silenceSeconds: 0.5, retrySeconds: 0.5 } });
      assert.equal(code, 3);
      assert.ok(
        lines.some(({ level, message }) => level === "error" && message.startsWith("reads not told")),
      );
      assert.ok((await world.bucket.paths()).includes(path.hash));
      // The time that was missed is asked for again.
      api.fault = undefined;
      await tells();
      assert.equal(api.asked.length, 1);
    });
  }
});
