import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { EVERYTHING, type Permission } from "../../components/attic/permissions.ts";
import type { Answer } from "./support/answer.ts";
import { configPath, type Contract, creation } from "./support/contract.ts";
import { makePath, type Path } from "./support/nar.ts";
import { contract } from "./support/suite.ts";

interface Action {
  needs: readonly Permission[];
  /** Makes what it works on. @returns the cache and a way to ask. */
  prepare: (attic: Contract) => Promise<{ cache: string; ask: (token: string | null) => Promise<Answer> }>;
  /** What succeeds is answered with. */
  success: readonly number[];
}

/** Every call that Attic has, and what it wants to be allowed. */
const ACTIONS: Readonly<Record<string, Action>> = {
  "reading its configuration": reading("pull", (cache) => configPath(cache)),
  "reading its attic-cache-info": reading("pull", (cache) => `/${cache}/attic-cache-info`),
  "reading its nix-cache-info": reading("pull", (cache) => `/${cache}/nix-cache-info`),
  "reading a narinfo": reading("pull", (cache, { hash }) => `/${cache}/${hash}.narinfo`),
  "fetching a NAR": reading("pull", (cache, { hash }) => `/${cache}/nar/${hash}.nar`),
  "creating it": {
    needs: ["createCache"],
    success: [200],
    prepare: (attic) => {
      const cache = attic.name();
      const ask = (token: string | null) =>
        attic.call("POST", configPath(cache), { json: creation(), token });
      return Promise.resolve({ cache, ask });
    },
  },
  "configuring it": configuring(["configureCache"], { priority: 5 }),
  "configuring its retention": configuring(["configureCache", "configureRetention"], {
    retention_period: "Global",
  }),
  "destroying it": {
    needs: ["destroyCache"],
    success: [200],
    prepare: async (attic) => {
      const cache = await attic.cache();
      return { cache, ask: (token) => attic.call("DELETE", configPath(cache), { token }) };
    },
  },
  "asking for missing paths": {
    needs: ["push"],
    success: [200],
    prepare: async (attic) => {
      const cache = await attic.cache();
      const json = { cache, store_path_hashes: [] };
      return { cache, ask: (token) => attic.call("POST", "/_api/v1/get-missing-paths", { json, token }) };
    },
  },
  "pushing a path": {
    needs: ["push"],
    success: [200],
    prepare: async (attic) => {
      const cache = await attic.cache();
      const path = makePath(cache, 100);
      return { cache, ask: (token) => push(attic, path, token) };
    },
  },
};

function reading(needed: Permission, where: (cache: string, path: Path) => string): Action {
  return {
    needs: [needed],
    success: [200, 307],
    prepare: async (attic) => {
      const cache = await attic.cache();
      const path = makePath(cache, 100);
      assert.equal((await push(attic, path)).status, 200);
      return { cache, ask: (token) => attic.call("GET", where(cache, path), { token }) };
    },
  };
}

function configuring(needs: readonly Permission[], json: unknown): Action {
  return {
    needs,
    success: [200],
    prepare: async (attic) => {
      const cache = await attic.cache();
      return { cache, ask: (token) => attic.call("PATCH", configPath(cache), { json, token }) };
    },
  };
}

async function push(attic: Contract, { nar, info }: Path, token?: string | null): Promise<Answer> {
  const headers = { "x-attic-nar-info": JSON.stringify(info) };
  return await attic.call("PUT", "/_api/v1/upload-path", {
    body: nar,
    headers,
    ...(token !== undefined && { token }),
  });
}

contract("permissions", (attic) => {
  for (const [what, { needs, prepare, success }] of Object.entries(ACTIONS)) {
    describe(what, () => {
      let cache: string;
      let ask: (token: string | null) => Promise<Answer>;
      before(async () => {
        ({ cache, ask } = await prepare(attic));
      });

      it("is refused as unknown to who has no token", async () => {
        (await ask(null)).isRefused("Unauthorized");
      });

      it("is refused as unknown to who may do everything with other caches", async () => {
        const token = attic.token({ [`${cache}x`]: EVERYTHING, "other-*": EVERYTHING });
        (await ask(token)).isRefused("Unauthorized");
      });

      for (const missing of needs) {
        it(`is denied to who may do everything but ${missing}`, async () => {
          const granted = EVERYTHING.filter((permission) => permission !== missing);
          (await ask(attic.tokenFor(cache, ...granted))).isRefused("AccessError");
        });
      }

      for (const only of EVERYTHING.filter((permission) => !needs.includes(permission))) {
        it(`is denied to who may do nothing but ${only}`, async () => {
          (await ask(attic.tokenFor(cache, only))).isRefused("AccessError");
        });
      }

      // Last, because it may end what the others ask about.
      it(`is done for who may do nothing but ${needs.join(" and ")}`, async () => {
        const answer = await ask(attic.tokenFor(cache, ...needs));
        assert.ok(success.includes(answer.status), `${answer.status} ${answer.text}`);
      });
    });
  }

  describe("a cache that is not there", () => {
    const CALLS = {
      "reading its configuration": ["GET", configPath, undefined],
      "reading its nix-cache-info": ["GET", (cache: string) => `/${cache}/nix-cache-info`, undefined],
      "configuring it": ["PATCH", configPath, { priority: 1 }],
      "destroying it": ["DELETE", configPath, undefined],
    } as const;
    for (const [what, [method, path, json]] of Object.entries(CALLS)) {
      it(`is known as such to who has any permission on it, when ${what}`, async () => {
        const name = attic.name();
        for (const permission of EVERYTHING) {
          const token = attic.tokenFor(name, permission);
          (await attic.call(method, path(name), { json, token })).isRefused("NoSuchCache");
        }
      });

      it(`looks to everybody else as one that is there, when ${what}`, async () => {
        const name = attic.name();
        for (const token of [null, attic.tokenFor("another", ...EVERYTHING)])
          (await attic.call(method, path(name), { json, token })).isRefused("Unauthorized");
      });
    }

    it("is known as such to who asks for missing paths, or pushes, and may", async () => {
      const cache = attic.name();
      const json = { cache, store_path_hashes: [] };
      for (const permission of EVERYTHING) {
        const token = attic.tokenFor(cache, permission);
        const asked = await attic.call("POST", "/_api/v1/get-missing-paths", { json, token });
        asked.isRefused("NoSuchCache");
        (await push(attic, makePath(cache, 10), token)).isRefused("NoSuchCache");
      }
      (await push(attic, makePath(cache, 10), null)).isRefused("Unauthorized");
    });
  });

  describe("a public cache", () => {
    let cache: string;
    let path: Path;
    before(async () => {
      cache = await attic.cache({ is_public: true });
      path = makePath(cache, 100);
      assert.equal((await push(attic, path)).status, 200);
    });

    it("can be pulled from by everybody", async () => {
      const paths = [
        configPath(cache),
        `/${cache}/attic-cache-info`,
        `/${cache}/nix-cache-info`,
        `/${cache}/${path.hash}.narinfo`,
        `/${cache}/nar/${path.hash}.nar`,
      ];
      for (const token of [null, attic.tokenFor("another", "push"), attic.tokenFor(cache, "push")]) {
        const answers = await Promise.all(paths.map((each) => attic.call("GET", each, { token })));
        const statuses = answers.map(({ status }) => (status === 307 ? 200 : status));
        assert.deepEqual(statuses, [200, 200, 200, 200, 200]);
      }
    });

    it("is known to everybody, so what they may not do is denied, not hidden", async () => {
      const json = { cache, store_path_hashes: [] };
      (await attic.call("PATCH", configPath(cache), { json: { priority: 1 }, token: null })).isRefused(
        "AccessError",
      );
      (await attic.call("DELETE", configPath(cache), { token: null })).isRefused("AccessError");
      (await push(attic, makePath(cache, 10), null)).isRefused("AccessError");
      (await attic.call("POST", "/_api/v1/get-missing-paths", { json, token: null })).isRefused(
        "AccessError",
      );
    });

    it("is not known to everybody where it is created", async () => {
      const again = await attic.call("POST", configPath(cache), { json: creation(), token: null });
      again.isRefused("Unauthorized");
    });
  });

  it("are asked for only once the request itself is well formed", async () => {
    const headers = { "content-type": "application/json" };
    const name = attic.name();
    const broken = await attic.call("POST", configPath(name), { body: "{", headers, token: null });
    broken.isMalformed(400, /^Failed to parse/);
    const empty = await attic.call("PATCH", configPath(name), { body: "[]", headers, token: null });
    empty.isMalformed(422, /^Failed to deserialize/);
  });
});
