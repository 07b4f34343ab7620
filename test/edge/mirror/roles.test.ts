import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { roleStatements } from "../../../jobs/mirror/roles.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { query } from "../../support/postgres.ts";

/** Names and passwords that have to be quoted. */
const READER = { name: `mirror "r"'er`, password: `p'a"ss\\w%/@:ord` };
const TOUCHER = { name: "mirror_toucher", password: "$1 $do$ 'x'" };

describe("the mirror's roles", function () {
  this.timeout(60_000);
  let world: MirrorWorld;
  let reader: string;
  let toucher: string;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    await world.pushSome("main", 3, 500);
    const as = ({ name, password }: typeof READER) => {
      const url = new URL(world.attic.databaseUrl);
      url.username = encodeURIComponent(name);
      url.password = encodeURIComponent(password);
      return url.href;
    };
    [reader, toucher] = [as(READER), as(TOUCHER)];
  });
  after(() => world.stop());

  const make = async () => {
    const env = {
      ADMIN_DATABASE_URL: world.attic.databaseUrl,
      DATABASE_URL: reader,
      TOUCH_DATABASE_URL: toucher,
    };
    return await world.run({ env, args: ["roles"] });
  };
  const refuses = async (url: string, sql: string) => {
    await assert.rejects(query(url, sql), /permission denied|must be owner|read-only/, sql);
  };

  it("are made, and made again, by the mode `roles`, which shows no password", async () => {
    for (let time = 0; time < 2; time += 1) {
      const { code, printed } = await make();
      assert.equal(code, 0, printed);
      for (const { password } of [READER, TOUCHER]) assert.ok(!printed.includes(password));
    }
  });

  it("are enough for a run", async () => {
    const { code, printed } = await world.run({ env: { DATABASE_URL: reader } });
    assert.equal(code, 0, printed);
    assert.equal((await world.bucket.paths()).length, 3);
  });

  it("have a password that stands in no statement", () => {
    const text = roleStatements({ reader: READER, toucher: TOUCHER }).join("\n");
    for (const { password } of [READER, TOUCHER]) assert.ok(!text.includes(password));
  });

  it("let the reader read no key and nothing else that it does not need", async () => {
    const refused = [
      "SELECT keypair FROM cache",
      "SELECT * FROM cache",
      "SELECT * FROM object",
      "SELECT created_by FROM object",
      "SELECT last_accessed_at FROM object",
      "SELECT * FROM nar",
      "SELECT * FROM chunk",
      "SELECT * FROM chunkref",
      "SELECT * FROM seaql_migrations",
    ];
    for (const sql of refused) await refuses(reader, sql);
    assert.equal((await query(reader, "SELECT store_path_hash FROM object")).length, 3);
  });

  const CHANGES = [
    "UPDATE object SET store_path = 'x'",
    "UPDATE object SET created_at = now()",
    "UPDATE object SET nar_id = 1",
    "UPDATE cache SET keypair = 'x'",
    "UPDATE cache SET is_public = true",
    "UPDATE nar SET state = 'D'",
    "DELETE FROM object",
    "DELETE FROM cache",
    "TRUNCATE object",
    "INSERT INTO nar (state) VALUES ('V')",
    "DROP TABLE object",
    "ALTER TABLE object ADD COLUMN x int",
    "CREATE TABLE public.x (x int)",
    "SELECT nextval('object_id_seq')",
    "CREATE ROLE another",
  ];

  it("let the reader change nothing, also where it asks to write", async () => {
    for (const sql of [...CHANGES, "UPDATE object SET last_accessed_at = now()"]) {
      await refuses(reader, sql);
      await refuses(reader, `SET default_transaction_read_only = off; ${sql}`);
    }
  });

  it("let the other one move the last access and nothing else", async () => {
    for (const sql of [
      ...CHANGES,
      "SELECT keypair FROM cache",
      "SELECT store_path FROM object",
      "SELECT * FROM chunk",
    ])
      await refuses(toucher, sql);
    await query(toucher, "UPDATE object SET last_accessed_at = now() WHERE last_accessed_at IS NULL");
  });

  it("have no part in tables that are made later", async () => {
    await world.sql("CREATE TABLE later (secret text)");
    for (const url of [reader, toucher]) {
      await refuses(url, "SELECT * FROM later");
      await refuses(url, "INSERT INTO later VALUES ('x')");
    }
  });

  it("lose what they were given besides when they are made again", async () => {
    await world.sql(`GRANT ALL ON cache, object TO mirror_toucher`);
    await world.sql(`GRANT SELECT (keypair) ON cache TO "mirror ""r""'er"`);
    assert.equal((await make()).code, 0);
    await refuses(toucher, "DELETE FROM object");
    await refuses(reader, "SELECT keypair FROM cache");
  });

  it("are not made where two of the URLs name one role", async () => {
    const url = world.attic.databaseUrl;
    const env = { ADMIN_DATABASE_URL: url, DATABASE_URL: url, TOUCH_DATABASE_URL: toucher };
    const { code, printed } = await world.run({ env, args: ["roles"] });
    assert.equal(code, 2);
    assert.match(printed, /must name roles of their own/);
  });

  it("are not made by who may not make roles, and the reason is said", async () => {
    const env = { ADMIN_DATABASE_URL: toucher, DATABASE_URL: reader };
    const { code, printed } = await world.run({ env, args: ["roles"] });
    assert.equal(code, 4);
    assert.match(printed, /permission denied/);
  });
});
