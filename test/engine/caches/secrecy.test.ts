import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { adminToken } from "../../../components/attic/admin-token.ts";
import { generateKeypair } from "../../../components/attic/keypair.ts";
import { makeKey } from "../../support/attic-server.ts";
import type { CacheRun } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import { ArgumentWatch } from "../../support/processes.ts";
import { secretsIn } from "../../support/secrets.ts";

/** Where no secret may stand in clear, each with something that stands there for certain. */
const PLACES = {
  "the state, its history and its backups": "attic:index:AccessToken::ci",
  "an exported state": "attic:index:AccessToken::ci",
  "the outputs of the stack": "publicKey",
  "a preview with its differences": "attic:index:Cache: (update)",
  "a preview as JSON": "attic:index:Cache::keyed",
  "what updates print, and their events": "attic:index:AccessToken::ci",
  "what updates print that fail": "error: ",
  "the arguments of processes while the stack is updated": "provider/attic/main.ts",
} as const;
type Place = keyof typeof PLACES;

describe("secrets of caches and tokens", function () {
  this.timeout(180_000);
  const secrets = new Map<string, string>();
  const texts: Partial<Record<Place, string>> = {};

  before(async () => {
    // Its tokens are short enough for a message.
    const world = await CacheWorld.start({ algorithm: "HS256" });
    const wrongKeypair = generateKeypair("wrong-1").replace(/.{8}==$/, "AAAAAAAA==");
    const keypairs = [generateKeypair("mine-1"), generateKeypair("mine-2")] as const;
    const admin = await adminToken(world.attic.key, {})();
    const stack = await world.open(
      {
        caches: { main: { name: "main" }, keyed: { name: "keyed", keypair: keypairs[0] } },
        tokens: { ci: { subject: "ci", permissions: [{ cache: "*", allow: ["pull"] }] } },
      },
      { env: { ATTIC_ADMIN_TOKEN: admin } },
    );
    const own = await world.open({ caches: { own: { name: "own" } } });
    const key = makeKey("RS256");
    note("signing key", world.attic.key.secret);
    note("another signing key", key.secret);
    note("administrator's token given", admin);
    note("keypair", keypairs[0]);
    note("another keypair", keypairs[1]);
    note("keypair that is none", wrongKeypair);

    const printed: string[] = [];
    const failed: string[] = [];
    const learn = (run: CacheRun) => {
      (run.ok ? printed : failed).push(run.printed, run.messages.join("\n"));
      if (run.outputs.ci) note("token", run.outputs.ci.value as string);
      return run;
    };
    const watch = new ArgumentWatch();
    learn(await stack.up());
    learn(await own.up());

    stack.declared.server.key = key;
    stack.declared.caches!.keyed!.keypair = keypairs[1];
    learn(await stack.preview());
    const cli = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await stack.cli(...args);
      assert.equal(code, 0, stdout + stderr);
      return stdout + stderr;
    };
    texts["a preview with its differences"] = await cli("preview", "--diff");
    texts["a preview as JSON"] = await cli("preview", "--json");
    learn(await stack.up());
    await world.api.configure("keyed", { keypair: "Generate" });
    learn(await stack.refresh());
    learn(await stack.up());

    for (const body of [
      "{",
      JSON.stringify({ code: 500, error: "InternalServerError", message: "no\nno" }),
    ]) {
      world.proxy.fault = ({ token }, response) => {
        // What a server could do worst: to say again what it was told.
        response.writeHead(500).end(body.replace("no", token));
        return true;
      };
      stack.declared.caches!.main!.priority = body.length;
      assert.equal(learn(await stack.up()).ok, false);
    }
    world.proxy.fault = () => false;
    stack.declared.caches!.wrong = { name: "wrong", keypair: wrongKeypair };
    const wrong = learn(await stack.up());
    assert.match(
      wrong.messages.join("\n"),
      /^error: attic:index:Cache resource 'wrong' has a problem: keypair: expected name:base64 of a 64 byte/,
    );
    delete stack.declared.caches!.wrong;
    stack.declared.server.key = { algorithm: "HS256", secret: key.secret.slice(0, 20) };
    assert.equal(learn(await stack.up()).ok, false);
    stack.declared.server.key = key;

    texts["the arguments of processes while the stack is updated"] = watch.stop();
    texts["an exported state"] = await cli("stack", "export");
    texts["the outputs of the stack"] = await cli("stack", "output", "--json");
    texts["what updates print, and their events"] = printed.join("\n");
    texts["what updates print that fail"] = failed.join("\n");
    texts["the state, its history and its backups"] = await textOf(join(stack.folder, "state"));
    for (const { token } of world.proxy.seen) note("administrator's token", token);
    await world.stop();
  });

  function note(name: string, value: string): void {
    secrets.set(value, name);
    // The half that nobody else can make.
    const [, , signature] = value.split(".");
    if (signature !== undefined) secrets.set(signature, `${name}, its signature`);
    const [, bytes] = /^[^:]+:(\S+)$/.exec(value) ?? [];
    if (bytes !== undefined) secrets.set(bytes, `${name}, its bytes`);
  }

  it("are all known to this test", () => {
    const names = [...secrets.values()];
    const count = (name: string) => names.filter((known) => known === name).length;
    assert.deepEqual([count("token"), count("keypair, its bytes")], [2, 1]);
    assert.ok(count("administrator's token") >= 1);
  });

  for (const [place, marker] of Object.entries(PLACES) as [Place, string][]) {
    it(`do not stand in ${place}`, () => {
      const text = texts[place] ?? "";
      assert.ok(text.includes(marker), `${marker} should stand there:\n${text.slice(0, 3000)}`);
      assert.deepEqual(secretsIn(text, secrets), []);
    });
  }
});

async function textOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}
