import assert from "node:assert/strict";
import { EVERYTHING, type Permission } from "../../../components/attic/permissions.ts";
import { makePath } from "../../contract/support/nar.ts";
import type { AtticApi, Reply } from "../../support/attic-api.ts";
import { CacheWorld } from "../../support/cache-world.ts";

/** What can be asked of a cache, and what has to be granted for it. */
const CALLS: Record<
  string,
  { needs: Permission[]; ask: (api: AtticApi, cache: string, token: string) => Promise<Reply> }
> = {
  "read its settings": {
    needs: ["pull"],
    ask: (api, cache, token) => api.call("GET", `_api/v1/cache-config/${cache}`, { token }),
  },
  "ask for its nix-cache-info": {
    needs: ["pull"],
    ask: (api, cache, token) => api.call("GET", `${cache}/nix-cache-info`, { token }),
  },
  "ask what is missing": {
    needs: ["push"],
    ask: (api, cache, token) => {
      const body = { cache, store_path_hashes: [] };
      return api.call("POST", "_api/v1/get-missing-paths", { token, body });
    },
  },
  "push a path": {
    needs: ["push"],
    ask: (api, cache, token) => {
      const { info, nar } = makePath(cache, 100);
      const headers = { "x-attic-nar-info": JSON.stringify(info) };
      return api.call("PUT", "_api/v1/upload-path", { token, body: nar, headers });
    },
  },
  "set its priority": {
    needs: ["configureCache"],
    ask: (api, cache, token) => configure(api, cache, token, { priority: 3 }),
  },
  "set its retention": {
    needs: ["configureCache", "configureRetention"],
    ask: (api, cache, token) => configure(api, cache, token, { retention_period: { Period: 60 } }),
  },
  "destroy it": {
    needs: ["destroyCache"],
    ask: (api, cache, token) => api.call("DELETE", `_api/v1/cache-config/${cache}`, { token }),
  },
  "make it": {
    needs: ["createCache"],
    ask: (api, cache, token) =>
      api.call("POST", `_api/v1/cache-config/${cache}`, {
        token,
        body: {
          keypair: "Generate",
          is_public: false,
          store_dir: "/nix/store",
          priority: 41,
          upstream_cache_key_names: [],
        },
      }),
  },
};

function configure(api: AtticApi, cache: string, token: string, body: unknown): Promise<Reply> {
  return api.call("PATCH", `_api/v1/cache-config/${cache}`, { token, body });
}

/** What the tokens of the stack grant on their own cache, which has the token's name. */
const GRANTS: Record<string, Permission[]> = {
  ...Object.fromEntries(EVERYTHING.map((permission) => [`only-${permission}`, [permission]])),
  builder: ["pull", "push"],
  keeper: ["configureCache", "configureRetention"],
  all: EVERYTHING,
};

/** The statuses of a server that does what is asked, has no right to it, or tells nobody what there is. */
const DONE = 200;
const FORBIDDEN = 403;
const UNKNOWN = 401;

for (const algorithm of ["RS256", "HS256"] as const) {
  describe(`tokens of a stack that signs with ${algorithm}`, () => {
    let world: CacheWorld;
    const tokens: Record<string, string> = {};

    before(async () => {
      world = await CacheWorld.start({ algorithm });
      const own = Object.entries(GRANTS).map(
        ([cache, allow]) => [cache, { subject: cache, permissions: [{ cache, allow }] }] as const,
      );
      const stack = await world.open({
        caches: Object.fromEntries(Object.keys(GRANTS).map((name) => [`cache-${name}`, { name }])),
        tokens: {
          ...Object.fromEntries(own),
          patterns: {
            subject: "patterns",
            permissions: [
              { cache: "only-pu*", allow: ["push"] },
              { cache: "only-*", allow: ["configureCache"] },
              { cache: "only-pull", allow: ["pull"] },
            ],
          },
          later: {
            subject: "later",
            permissions: [{ cache: "*", allow: EVERYTHING }],
            notBefore: new Date(Date.now() + 3_600_000).toISOString(),
          },
        },
      });
      const { ok, outputs, messages } = await stack.up();
      assert.equal(ok, true, messages.join("\n"));
      for (const [name, { value, secret }] of Object.entries(outputs)) {
        if (name.startsWith("cache-")) continue;
        assert.equal(secret, true);
        tokens[name] = value as string;
      }
    });
    after(() => world.stop());

    const statuses = async (cache: string, token: string | undefined) => {
      const found: Record<string, number> = {};
      for (const [call, { ask }] of Object.entries(CALLS))
        found[call] = (await ask(world.api, cache, token ?? "")).status;
      return found;
    };

    for (const [name, granted] of Object.entries(GRANTS)) {
      it(`may ${granted.join(" and ")}, and nothing else, where just that is granted`, async () => {
        const expected = Object.entries(CALLS).map(([call, { needs }]) => [
          call,
          needs.every((permission) => granted.includes(permission)) ? DONE : FORBIDDEN,
        ]);
        // Who may not destroy it finds it there already.
        const making =
          granted.includes("createCache") && !granted.includes("destroyCache") ? { "make it": 400 } : {};
        assert.deepEqual(await statuses(name, tokens[name]), {
          ...(Object.fromEntries(expected) as Record<string, number>),
          ...making,
        });
      });
    }

    it("may do nothing with another cache, and do not learn whether it is there", async () => {
      const nothing = Object.fromEntries(Object.keys(CALLS).map((call) => [call, UNKNOWN]));
      assert.deepEqual(await statuses("builder", tokens.all), nothing);
      assert.deepEqual(await statuses("nowhere", tokens.all), nothing);
    });

    it("grant what is said of the very name, else of the first pattern that matches, and never both", async () => {
      const of = async (cache: string) =>
        Object.entries(await statuses(cache, tokens.patterns)).flatMap(([call, status]) =>
          status === 200 ? [call] : [],
        );
      assert.deepEqual(await of("only-pull"), ["read its settings", "ask for its nix-cache-info"]);
      assert.deepEqual(await of("only-push"), ["ask what is missing", "push a path"]);
      assert.deepEqual(await of("only-configureCache"), ["set its priority"]);
      assert.deepEqual(await of("builder"), []);
    });

    it("do not hold before they are to", async () => {
      const nothing = Object.fromEntries(Object.keys(CALLS).map((call) => [call, UNKNOWN]));
      assert.deepEqual(await statuses("builder", tokens.later), nothing);
    });
  });
}
