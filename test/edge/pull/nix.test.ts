import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { netrc } from "../../../components/attic/netrc.ts";
import { signToken } from "../../../components/attic/token.ts";
import { sha256 } from "../../contract/support/nar.ts";
import { TestCloudflare } from "../../support/cloudflare.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { hasNix, Nix, type StorePath } from "../../support/nix.ts";

const CACHES = ["main", "private"] as const;
const PATHS = 24;

/** What a client says of a path when it pushes it. */
function pushed(cache: string, { path, nar, references }: StorePath) {
  const info = {
    cache,
    store_path_hash: path.slice("/nix/store/".length).split("-")[0],
    store_path: path,
    references: references.map((reference) => reference.slice("/nix/store/".length)),
    system: null,
    deriver: null,
    sigs: [],
    ca: null,
    nar_hash: sha256(nar),
    nar_size: nar.length,
  };
  return { info, nar };
}

describe("the real Nix at the edge, from the push to the pull", function () {
  this.timeout(300_000);
  let world: MirrorWorld;
  let cloudflare: TestCloudflare;
  let closure: StorePath[];
  let edge: string;
  let keys: Record<string, string>;
  const clients: Nix[] = [];
  const client = (): Nix => {
    const made = new Nix();
    clients.push(made);
    return made;
  };
  const top = () => closure.at(-1)!.path;
  const roles = () => ({
    DATABASE_URL: asRole(world.attic.databaseUrl, "mirror"),
    TOUCH_DATABASE_URL: asRole(world.attic.databaseUrl, "mirror_uses"),
  });
  const mirror = () => world.run({ env: { ...cloudflare.env, ...roles() }, config: { caches: CACHES } });

  before(async function () {
    if (!(await hasNix())) {
      console.log("      There is no Nix client here, and this is skipped: apt-get install nix-bin");
      this.skip();
    }
    [world, cloudflare] = await Promise.all([MirrorWorld.start({ onS3: true }), TestCloudflare.start()]);
    for (const name of CACHES) await world.api.create(name, { is_public: name === "main" });
    closure = await client().closure(PATHS, 200_000);
    for (const cache of CACHES) await world.push(...closure.map((path) => pushed(cache, path)));
    keys = await world.api.publicKeys();
    edge = await cloudflare.deploy({
      url: "https://edge.example.com",
      caches: CACHES.map((name) => ({
        name,
        isPublic: name === "main",
        publicKey: keys[name]!,
        storeDir: "/nix/store",
        priority: 41,
      })),
      default: "main",
      token: { algorithm: "RS256", publicKey: publicKeyOf(world.attic.key.secret) },
    });
  });

  after(async () => {
    await Promise.all(clients.map((each) => each.remove()));
    await Promise.all([world.stop(), cloudflare.stop()]);
  });

  it("finds nothing before the mirror has run", async () => {
    const { code, stderr } = await client().pull(top(), `${edge}/main`, {
      "trusted-public-keys": keys.main!,
    });
    assert.notEqual(code, 0);
    assert.match(stderr, /don't know how to build these paths|does not exist|no substituter|cannot be built/);
  });

  it("is served what the mirror brings, once", async () => {
    const made = await world.run({
      args: ["roles"],
      env: { ADMIN_DATABASE_URL: world.attic.databaseUrl, ...roles() },
    });
    assert.equal(made.code, 0, made.printed);
    const first = await mirror();
    assert.equal(first.code, 0, first.printed);
    const { caches } = (await (await fetch(`${edge}/status`)).json()) as {
      caches: Record<string, { paths: number; added: number }>;
    };
    assert.deepEqual([caches.main?.paths, caches.main?.added], [PATHS, PATHS]);
    assert.equal("private" in caches, false);
    const second = await mirror();
    assert.equal(second.code, 0, second.printed);
  });

  for (const place of ["/main", ""]) {
    it(`pulls a closure of ${PATHS} paths, signatures required, from ${place || "the host's root"}`, async () => {
      const nix = client();
      const { code, stderr } = await nix.pull(top(), `${edge}${place}`, {
        "trusted-public-keys": keys.main!,
      });
      assert.equal(code, 0, stderr);
      assert.deepEqual((await nix.closureOf(top())).sort(), closure.map(({ path }) => path).sort());
      const verified = await nix.run("nix-store", "--verify-path", ...closure.map(({ path }) => path));
      assert.equal(verified.code, 0, verified.stderr);
    });
  }

  it("refuses what another key has signed", async () => {
    const nix = client();
    const { code, stderr } = await nix.pull(top(), `${edge}/main`, { "trusted-public-keys": keys.private! });
    assert.notEqual(code, 0);
    assert.match(stderr, /lacks a (valid )?signature|not signed|signed by/);
  });

  it("pulls from a private cache with a netrc, and not without", async () => {
    const token = await signToken(world.attic.key, {
      subject: "reader",
      permissions: { private: ["pull"] },
      expiresAt: Math.floor(Date.now() / 1000) + 600,
    });
    const nix = client();
    const file = join(nix.root, "netrc");
    await writeFile(file, netrc(edge, token), { mode: 0o600 });
    const trusted = { "trusted-public-keys": keys.private! };
    const without = await client().pull(top(), `${edge}/private`, trusted);
    assert.notEqual(without.code, 0);
    const pulled = await nix.pull(top(), `${edge}/private`, { ...trusted, "netrc-file": file });
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.equal((await nix.closureOf(top())).length, PATHS);
  });

  it("keeps what was pulled at the edge from the collector, once the mirror has told", async () => {
    await world.sql("UPDATE object SET created_at = now() - interval '10 days', last_accessed_at = NULL");
    const used = async () => {
      // What has just been read takes a moment to be counted; a later run finds it.
      const told = await mirror();
      assert.equal(told.code, 0, told.printed);
      return await world.sql<{ name: string; used: string }>(
        `SELECT cache.name, count(*) AS used FROM object JOIN cache ON cache.id = cache_id
         WHERE last_accessed_at > now() - interval '1 hour' GROUP BY cache.name ORDER BY cache.name`,
      );
    };
    const all = CACHES.map((name) => ({ name, used: String(PATHS) }));
    let rows = await used();
    for (let tries = 0; tries < 20 && !isDeepStrictEqual(rows, all); tries += 1) {
      await sleep(500);
      rows = await used();
    }
    assert.deepEqual(rows, all);
  });
});

function publicKeyOf(secret: string): string {
  return createPublicKey(Buffer.from(secret, "base64")).export({ type: "spki", format: "pem" }).toString();
}

function asRole(url: string, name: string): string {
  const role = new URL(url);
  role.username = name;
  role.password = `password of ${name}`;
  return role.href;
}
