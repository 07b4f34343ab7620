import assert from "node:assert/strict";
import { content, type Content, settingsOf } from "../../support/stack-files.ts";
import { ALLOWED, refusesEach } from "../../support/wrong-values.ts";

const cache = (over: Content): Content => ({ caches: [{ name: "main", ...over }] });
const NAME = "a text: 1 to 50 of A-Z, a-z, 0-9, -, _ and +, beginning with a letter or digit";
const PRIORITY = "a whole number from 0 to 2147483647";
const STORE = "an absolute path as Nix spells it, without a slash at its end, such as /nix/store";

describe("a cache of the settings", () => {
  it("has Attic's own defaults, and is protected", () => {
    assert.deepEqual(settingsOf({ caches: [{ name: "main" }] }).caches, [
      {
        name: "main",
        public: false,
        priority: 41,
        storeDir: "/nix/store",
        upstreamCacheKeyNames: ["cache.nixos.org-1"],
        retention: "default",
        adopt: false,
        protect: true,
      },
    ]);
  });

  it("is as it was declared", () => {
    const declared = {
      name: "Team+tools_2",
      public: true,
      priority: 0,
      storeDir: "/home/me/.nix/store",
      upstreamCacheKeyNames: [],
      retention: "90d",
      adopt: true,
      protect: false,
    };
    assert.deepEqual(settingsOf({ caches: [declared] }).caches, [declared]);
  });

  it("is none where none is declared", () => {
    assert.deepEqual(settingsOf().caches, []);
  });
});

describe("a wrong cache", () => {
  refusesEach({
    "a list that is one cache": [
      { caches: { name: "main" } },
      "caches",
      '{"name":"main"}',
      "a list of caches",
    ],
    "a list that is a text": [{ caches: "main" }, "caches", '"main"', "a list of caches"],
    "a cache that is its name": [
      { caches: ["main"] },
      "caches[0]",
      '"main"',
      "an object with the keys name, public, priority, storeDir",
    ],
    "no name": [{ caches: [{ public: true }] }, "caches[0].name", "nothing", NAME],
    "a name that is a number": [cache({ name: 2024 }), "caches[0].name", "2024", NAME],
    "an empty name": [cache({ name: "" }), "caches[0].name", '""', NAME],
    "a name with a slash": [cache({ name: "a/b" }), "caches[0].name", '"a/b"', NAME],
    "a name that begins with a hyphen": [cache({ name: "-a" }), "caches[0].name", '"-a"', NAME],
    "a name that is a pattern": [cache({ name: "team-*" }), "caches[0].name", '"team-*"', NAME],
    "a name with a line break at its end": [cache({ name: "a\n" }), "caches[0].name", '"a\\n"', NAME],
    "a name of 51 characters": [
      cache({ name: "a".repeat(51) }),
      "caches[0].name",
      `"${"a".repeat(51)}"`,
      NAME,
    ],
    "an unknown key": [
      cache({ retention_period: "90d" }),
      "caches[0].retention_period",
      "a key that is not known",
      "name, public, priority, storeDir, upstreamCacheKeyNames, retention, adopt, protect",
    ],
    "a yes for public": [cache({ public: "yes" }), "caches[0].public", '"yes"', "true or false"],
    "a negative priority": [cache({ priority: -1 }), "caches[0].priority", "-1", PRIORITY],
    "a priority over 32 bits": [cache({ priority: 2 ** 31 }), "caches[0].priority", "2147483648", PRIORITY],
    "a priority as a text": [cache({ priority: "41" }), "caches[0].priority", '"41"', PRIORITY],
    "a relative store": [cache({ storeDir: "nix/store" }), "caches[0].storeDir", '"nix/store"', STORE],
    "a store with a slash at its end": [
      cache({ storeDir: "/nix/store/" }),
      "caches[0].storeDir",
      '"/nix/store/"',
      STORE,
    ],
    "a store that is the root": [cache({ storeDir: "/" }), "caches[0].storeDir", '"/"', STORE],
    "a store with a step back": [
      cache({ storeDir: "/nix/../store" }),
      "caches[0].storeDir",
      '"/nix/../store"',
      STORE,
    ],
    "a store with a line of its own": [
      cache({ storeDir: "/nix/store\nPriority: 1" }),
      "caches[0].storeDir",
      '"/nix/store\\nPriority: 1"',
      STORE,
    ],
    "a public key for the name of one": [
      cache({ upstreamCacheKeyNames: ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="] }),
      "caches[0].upstreamCacheKeyNames[0]",
      '"cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspc...',
      "the name of a key, which is what stands before its colon, such as cache.nixos.org-1",
    ],
    "one upstream as a text": [
      cache({ upstreamCacheKeyNames: "cache.nixos.org-1" }),
      "caches[0].upstreamCacheKeyNames",
      '"cache.nixos.org-1"',
      "a list of at most 50 names of keys",
    ],
    "a retention in words": [
      cache({ retention: "90 days" }),
      "caches[0].retention",
      '"90 days"',
      "default, never, or a whole number with",
    ],
    "a retention as a number": [cache({ retention: 90 }), "caches[0].retention", "90", "such as 90d"],
    "a retention that Attic's 32 bits wrap": [
      cache({ retention: "69y" }),
      "caches[0].retention",
      '"69y"',
      "at most 68y",
    ],
    "a connection that there is not": [
      { connection: "ingress" },
      "connection",
      '"ingress"',
      "tunnel, gateway",
    ],
    "an absolute path of a file": [
      { provision: "/etc/attic.yaml" },
      "provision",
      '"/etc/attic.yaml"',
      "the path of a file, seen from the folder of Pulumi.yaml, such as attic-provision.yaml",
    ],
    "a path with a line break": [
      { provision: "attic\n.yaml" },
      "provision",
      '"attic\\n.yaml"',
      "the path of a file",
    ],
    "an empty path": [{ provision: "" }, "provision", '""', "the path of a file"],
    "two caches of one name": [
      { caches: [{ name: "main" }, { name: "b" }, { name: "main" }] },
      "caches[2].name",
      '"main"',
      "a name of its own, because caches[0] has this one",
    ],
    "an upstream twice": [
      cache({ upstreamCacheKeyNames: ["a-1", "b-1", "a-1"] }),
      "caches[0].upstreamCacheKeyNames[2]",
      '"a-1"',
      "each name once, and this one stands at [0]",
    ],
    "a namespace of a token that is none": [
      { tokens: [{ name: "ci", permissions: [{ cache: "a", allow: ["pull"] }], netrc: ["Builds"] }] },
      "tokens[0].netrc[0]",
      '"Builds"',
      ALLOWED.label,
    ],
  });

  it("is none that differs from others in one character", () => {
    const names = ["a", "A", "a-", "a+", "a_", "0"];
    assert.deepEqual(
      settingsOf(content({ caches: names.map((name) => ({ name })) })).caches.map(({ name }) => name),
      names,
    );
  });
});
