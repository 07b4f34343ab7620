import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { bundleJob } from "../../../jobs/bundle.ts";
import { readSettings } from "../../../jobs/mirror/settings.ts";

describe("the mirror's settings", () => {
  let folder: string;
  let good: Record<string, string>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "attic-stack-settings-"));
    good = {
      DATABASE_URL: "postgres://reader:database-secret@db/attic",
      ATTIC_URL: "http://attic:8080/",
      ATTIC_TOKEN: "token-secret",
      S3_ENDPOINT: "https://account.r2.cloudflarestorage.com",
      S3_BUCKET: "edge",
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "store-secret",
      MIRROR_CONFIG: write("good.json", { caches: ["b", "a", "b"] }),
    };
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, content: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
  const refuses = (more: Record<string, string>, words: RegExp) => {
    assert.throws(() => readSettings({ ...good, ...more }), { name: "WrongSettings", message: words });
  };

  it("have what is usual where nothing else is said", () => {
    const { config, s3, reads } = readSettings(good);
    assert.deepEqual(config, {
      caches: ["a", "b"],
      concurrency: 16,
      graceSeconds: 86_400,
      silenceSeconds: 30,
      retrySeconds: 60,
      listSeconds: 604_800,
    });
    assert.deepEqual([s3.region, reads], ["auto", undefined]);
  });

  it("may come from files", () => {
    const { ATTIC_TOKEN: _, ...rest } = good;
    const file = write("token", "token-of-a-file\n");
    assert.equal(readSettings({ ...rest, ATTIC_TOKEN_FILE: file }).atticToken, "token-of-a-file");
  });

  it("name all that is wrong at once, and no secret", () => {
    const wrong = {
      DATABASE_URL: "mysql://x:database-secret@y/z",
      ATTIC_URL: "http://attic:8080",
      S3_BUCKET: "",
    };
    assert.throws(
      () => readSettings({ ...good, ...wrong }),
      ({ message }: Error) => {
        assert.equal(
          message,
          "ATTIC_URL must end in a slash\nDATABASE_URL is not a URL of PostgreSQL\nS3_BUCKET is not set",
        );
        return true;
      },
    );
  });

  it("are refused where the configuration makes no sense", () => {
    const config = (content: unknown, words: RegExp) => {
      refuses({ MIRROR_CONFIG: write("bad.json", content) }, words);
    };
    config("{", /is no JSON object/);
    config({}, /names no caches/);
    config({ caches: ["../x"] }, /no list of names of caches/);
    config({ caches: ["a"], colour: 1 }, /knows no colour/);
    config({ caches: ["a"], graceSeconds: -1 }, /graceSeconds that is no number, or below 0/);
    config({ caches: ["a"], concurrency: 0 }, /from 1 to 256/);
    refuses({ MIRROR_CONFIG: join(folder, "nowhere.json") }, /cannot be read/);
  });

  it("of reads are given as a whole or not at all", () => {
    refuses(
      { ANALYTICS_ACCOUNT: "x" },
      /ANALYTICS_DATASET is not set\nANALYTICS_TOKEN is not set\nTOUCH_DATABASE_URL is not set/,
    );
    refuses({ ANALYTICS_DATASET: "x; DROP" }, /not the name of a dataset/);
  });

  it("are secret where they are, also as they stand in an address", () => {
    const url = "postgres://reader:a%2Fb@db/attic";
    const { secrets } = readSettings({ ...good, DATABASE_URL: url });
    for (const secret of [url, "a%2Fb", "a/b", "token-secret", "store-secret"])
      assert.ok(secrets.includes(secret));
  });
});

describe("the mirror's bundle", () => {
  it("fits into a ConfigMap, is ASCII, and is the same each time", async () => {
    const [one, two] = [await bundleJob("mirror"), await bundleJob("mirror")];
    assert.equal(one, two);
    assert.ok(one.length < 200_000, String(one.length));
    assert.doesNotMatch(one, /[^\n\r\t\x20-\x7e]/);
    assert.ok(!one.includes(import.meta.dirname));
  });
});
