import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Point, Points, RETENTION } from "../../../../sandbox/edge/analytics/points.ts";
import { runSql } from "../../../../sandbox/edge/analytics/run.ts";
import { SqlError } from "../../../../sandbox/edge/analytics/sql-error.ts";

const START = Date.UTC(2026, 0, 31, 12);

/** One read of a path, so many seconds after the start. */
function read(path: string, seconds: number): Point {
  return { time: START + seconds * 1000, indexes: ["nix"], blobs: ["nix", path], doubles: [seconds] };
}

const READS = [read("a", 0), read("b", 10), read("a", 20), read("c", 3600)];

interface Answer {
  meta: { name: string; type: string }[];
  data: Record<string, unknown>[];
  rows: number;
  rows_before_limit_at_least: number;
}

async function ask(sql: string): Promise<Answer> {
  const response = await runSql(sql, (dataset) => Promise.resolve(dataset === "reads" ? READS : undefined));
  return (await response.json()) as Answer;
}

describe("the sandbox's SQL API of the Analytics Engine", () => {
  it("groups, aggregates, names and orders, with ClickHouse's types", async () => {
    assert.deepEqual(
      await ask(`
        SELECT blob1 AS cache, blob2 AS path, max(timestamp) AS last, max(toUnixTimestamp(timestamp)) AS seconds,
          sum(_sample_interval) AS reads, min(double1) AS first, avg(double1) AS mean
        FROM reads GROUP BY cache, path ORDER BY reads DESC, path ASC LIMIT 2 FORMAT JSON`),
      {
        meta: [
          { name: "cache", type: "String" },
          { name: "path", type: "String" },
          { name: "last", type: "DateTime" },
          { name: "seconds", type: "UInt32" },
          { name: "reads", type: "UInt64" },
          { name: "first", type: "Float64" },
          { name: "mean", type: "Float64" },
        ],
        data: [
          {
            ...{ cache: "nix", path: "a", last: "2026-01-31 12:00:20" },
            ...{ seconds: START / 1000 + 20, reads: "2", first: 0, mean: 10 },
          },
          {
            ...{ cache: "nix", path: "b", last: "2026-01-31 12:00:10" },
            ...{ seconds: START / 1000 + 10, reads: "1", first: 10, mean: 10 },
          },
        ],
        rows: 2,
        rows_before_limit_at_least: 3,
      },
    );
  });

  const paths = async (rest: string) =>
    (await ask(`SELECT blob2 FROM reads ${rest}`)).data.map(({ blob2 }) => blob2).join("");

  it("filters by time, text and number", async () => {
    const rests = {
      "WHERE timestamp > toDateTime('2026-01-31 12:00:10')": "ac",
      "WHERE timestamp >= '2026-01-31 12:00:10' AND timestamp < '2026-01-31 13:00:00'": "ba",
      [`WHERE timestamp >= toDateTime(${START / 1000 + 20})`]: "ac",
      "WHERE timestamp <= toDateTime('2026-01-31 12:30:10') - INTERVAL '30' MINUTE": "ab",
      "WHERE timestamp > NOW() - INTERVAL '1' DAY": "",
      "WHERE blob2 = 'a' OR double1 = 3600": "aac",
      "WHERE blob2 IN ('b', 'c') AND NOT blob2 LIKE 'c%'": "b",
      "WHERE blob2 NOT IN ('b', 'c')": "aa",
      "WHERE double1 BETWEEN 10 AND 20": "ba",
      "WHERE startsWith(index1, 'ni') AND (double1 + 5) * 2 = 30": "b",
      "WHERE blob20 = '' AND double20 = 0 ORDER BY timestamp DESC LIMIT 1": "c",
      "ORDER BY double1 DESC LIMIT 2 OFFSET 1": "ab",
    };
    for (const [rest, expected] of Object.entries(rests)) assert.equal(await paths(rest), expected, rest);
  });

  it("counts all, also where there is nothing", async () => {
    const { data } = await ask(
      "SELECT count() AS n, count(DISTINCT blob2) AS paths, countIf(double1 > 10) AS late FROM reads",
    );
    assert.deepEqual(data, [{ n: "4", paths: "3", late: "2" }]);
    const nothing = await ask("SELECT count() AS n, max(double1) AS m FROM reads WHERE blob2 = 'z'");
    assert.deepEqual(nothing.data, [{ n: "0", m: 0 }]);
    assert.deepEqual((await ask("SELECT blob2 FROM reads WHERE blob2 = 'z' GROUP BY blob2")).data, []);
    assert.deepEqual((await ask("SELECT blob2, count() AS n FROM reads GROUP BY blob2 HAVING n > 1")).data, [
      { blob2: "a", n: "2" },
    ]);
  });

  it("refuses what it does not understand, and says what", async () => {
    const wrong: Record<string, RegExp> = {
      "": /expected SELECT/,
      "SELECT blob21 FROM reads": /no column blob21/,
      "SELECT blob1 FROM writes": /no dataset writes/,
      "SELECT blob1, count() FROM reads": /blob1 .* not in GROUP BY/,
      "SELECT blob1 FROM reads GROUP BY blob2": /blob1 .* not in GROUP BY/,
      "SELECT quantile(double1) FROM reads": /does not play the function quantile/,
      "SELECT count() FROM reads WHERE count() > 1": /aggregate cannot stand in WHERE/,
      "SELECT blob1 FROM reads WHERE blob1 = 1": /cannot compare String with Float64/,
      "SELECT blob1 FROM reads WHERE timestamp > 'today'": /'today' is no time/,
      "SELECT blob1 FROM reads WHERE timestamp > NOW() - INTERVAL 1 DAY": /INTERVAL '1' DAY/,
      "SELECT blob1 FROM reads LIMIT -1": /whole number/,
      "SELECT blob1 FROM reads FORMAT CSV": /format CSV/,
      "SELECT blob1 FROM reads; DROP TABLE reads": /did not expect "DROP"/,
      "SELECT blob1 FROM (SELECT 1)": /subqueries/,
      "SELECT 'a FROM reads": /cannot read the query/,
      "SELECT blob1 FROM": /expected a name/,
    };
    for (const [sql, words] of Object.entries(wrong))
      await assert.rejects(ask(sql), (error) => error instanceof SqlError && words.test(error.message), sql);
  });

  describe("keeps points", () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "points-"));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    it("for three months, over a kill that left half a line", async () => {
      const points = new Points(folder);
      const all = [read("old", -RETENTION / 1000 - 1), read("new", 0)];
      await points.add({ account: "a", dataset: "reads", points: all });
      const file = join(folder, "a.reads.jsonl");
      await writeFile(file, `${await readFile(file, "utf8")}{"time": 17`);
      const kept = await new Points(folder).read("a", "reads", START);
      assert.deepEqual(kept, [read("new", 0)]);
      assert.equal((await readFile(file, "utf8")).split("\n").length, 2);
      assert.equal(await points.read("a", "writes", START), undefined);
      assert.equal(await points.read("b", "reads", START), undefined);
    });

    it("but none that breaks a limit of Cloudflare's", async () => {
      const points = new Points(folder);
      const good = read("good", 0);
      const bad = [
        { ...good, indexes: ["a", "b"] },
        { ...good, indexes: ["x".repeat(97)] },
        { ...good, blobs: Array.from({ length: 21 }, () => "") },
        { ...good, blobs: ["x".repeat(16_385)] },
        { ...good, doubles: Array.from({ length: 21 }, () => 0) },
        { ...good, doubles: ["1"] },
      ];
      await points.add({ account: "a", dataset: "reads", points: [...bad, good] });
      assert.deepEqual(await points.read("a", "reads", START), [good]);
    });
  });
});
