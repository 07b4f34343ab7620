import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, describe, it } from "mocha";
import { configPath, Contract } from "../../../contract/support/contract.ts";
import { decompress } from "../../../contract/support/decompress.ts";
import { archive } from "../../../../sandbox/welcome/store-path.ts";
import { pathOf, type Path } from "../../../contract/support/nar.ts";
import { isSignedBy, parseNarInfo } from "../../../contract/support/narinfo.ts";
import { startAttic, type TestAttic } from "../../../support/attic-server.ts";
import { Postgres } from "../../../support/postgres.ts";

const { ATTICD = "" } = process.env;
const STAND_IN = "";

/** Only where there is a real server: each goes on with the database and the store of the other. */
describe("the stand-in and the real server", () => {
  let postgres: Postgres;
  let server: TestAttic;
  const attic = new Contract();
  before(async function () {
    if (ATTICD === "") this.skip();
    postgres = await Postgres.start();
  });
  after(async () => {
    if (ATTICD !== "") await postgres.stop();
  });
  afterEach(async () => {
    await server.stop();
  });

  const push = async ({ info, nar }: Path): Promise<string> => {
    const headers = { "x-attic-nar-info": JSON.stringify(info) };
    const answer = await attic.call("PUT", "/_api/v1/upload-path", { body: nar, headers });
    return (answer.json() as { kind: string }).kind;
  };
  const pull = async (cache: string, { hash }: Path): Promise<Buffer> => {
    const narInfo = parseNarInfo((await attic.call("GET", `/${cache}/${hash}.narinfo`)).text);
    assert.ok(isSignedBy(narInfo, (await attic.config(cache)).public_key));
    const { body } = await attic.call("GET", `/${cache}/nar/${hash}.nar`);
    return decompress(narInfo.Compression ?? "", body);
  };

  for (const [title, first, second] of [
    ["the real server goes on where the stand-in was", STAND_IN, ATTICD],
    ["the stand-in goes on where the real server was", ATTICD, STAND_IN],
  ] as const) {
    it(title, async () => {
      server = await startAttic({ postgres, program: first });
      attic.open(server);
      const cache = await attic.cache({ upstream_cache_key_names: ["a"] });
      const retention = { retention_period: { Period: 60 } };
      (await attic.call("PATCH", configPath(cache), { json: retention })).isDone();
      const paths = [1000, 1_000_000].map((size) => pathOf(cache, archive(randomBytes(size))));
      for (const path of paths) assert.equal(await push(path), "Uploaded");
      const config = await attic.config(cache);

      await server.interrupt();
      await server.resume(second);
      assert.deepEqual(await attic.config(cache), config);
      for (const path of paths) {
        assert.deepEqual(await pull(cache, path), path.nar);
        assert.equal(await push(pathOf(cache, path.nar)), "Deduplicated");
      }
      const fresh = pathOf(cache, archive(randomBytes(1_000_000)));
      assert.equal(await push(fresh), "Uploaded");

      await server.interrupt();
      await server.resume(first);
      assert.deepEqual(await pull(cache, fresh), fresh.nar);
      (await attic.call("DELETE", configPath(cache))).isDone();
      await server.interrupt();
      await server.resume(second);
      (await attic.call("GET", configPath(cache))).isRefused("NoSuchCache");
    });
  }
});
