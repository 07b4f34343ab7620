import assert from "node:assert/strict";
import { describeMistakes, type Parsed, parseSettings } from "../../../components/settings/parse.ts";
import type { FileText } from "../../../components/settings/provided.ts";
import { content, type Content, raw } from "../../support/stack-files.ts";

const FILE = `server_url: "https://cache.example.com"

caches:
  - name: "my-project"
    public: false
    retention_period: "30d"

  - name: "shared"
    public: true
    retention_period: "never"

tokens:
  - name: "project-builder"
    cache: "my-project"
    read: true
    write: true
`;

function parseWith(over: Content, file: FileText | string): Parsed {
  const answer = typeof file === "string" ? { text: file } : file;
  return parseSettings({
    ...raw(content({ provision: "nix/attic.yaml", ...over })),
    readFile: (path) => (path === "nix/attic.yaml" ? answer : { fault: "is another" }),
  });
}

describe("a file of attic-provision in the settings", () => {
  it("adds its caches and tokens behind those of the stack", () => {
    const { settings, warnings } = parseWith(
      {
        caches: [{ name: "main" }],
        tokens: [{ name: "ci", permissions: [{ cache: "main", allow: ["push"] }] }],
        server: { tokenIssuer: "attic" },
      },
      FILE,
    );
    assert.deepEqual(
      settings?.caches.map(({ name, public: open, retention, protect }) => ({
        name,
        open,
        retention,
        protect,
      })),
      [
        { name: "main", open: false, retention: "default", protect: true },
        { name: "my-project", open: false, retention: "30d", protect: true },
        { name: "shared", open: true, retention: "never", protect: true },
      ],
    );
    assert.deepEqual(settings.tokens[1], {
      name: "project-builder",
      subject: "project-builder",
      permissions: [{ cache: "my-project", allow: ["pull", "push"] }],
      validity: "90d",
      renewBefore: "30d",
      issuer: "attic",
      netrc: [],
    });
    assert.equal(settings.tokens.length, 2);
    assert.equal(settings.provision, "nix/attic.yaml");
    assert.deepEqual(warnings, []);
  });

  it("is refused with what it names anew, and both places", () => {
    const { mistakes } = parseWith(
      {
        caches: [{ name: "main" }, { name: "shared" }],
        tokens: [{ name: "project-builder", permissions: [{ cache: "*", allow: ["pull"] }] }],
      },
      FILE,
    );
    assert.equal(
      describeMistakes("lab", "attic-stack", mistakes ?? []),
      [
        "nix/attic.yaml has 2 mistakes; nothing was changed.",
        "  nix/attic.yaml:8:11: caches[1].name",
        '      found:   "shared"',
        "      allowed: a name of its own, because caches[1] of the stack's settings has this one",
        "  nix/attic.yaml:13:11: tokens[0].name",
        '      found:   "project-builder"',
        "      allowed: a name of its own, because tokens[0] of the stack's settings has this one",
        "docs/settings.md describes every key, and docs/caches.md those of attic-provision.",
      ].join("\n"),
    );
  });

  it("is refused together with the stack's own file, each mistake in its own", () => {
    const { mistakes } = parseWith({ namespace: "X" }, "caches:\n  - nam: main\n");
    const lines = describeMistakes("lab", "attic-stack", mistakes ?? []).split("\n");
    assert.equal(lines[0], "Pulumi.lab.yaml and nix/attic.yaml have 3 mistakes; nothing was changed.");
    assert.deepEqual(
      lines.filter((line) => /^ {2}\S/.test(line)),
      [
        "  attic-stack:namespace",
        "  nix/attic.yaml:2:5: caches[0].name",
        "  nix/attic.yaml:2:5: caches[0].nam",
      ],
    );
  });

  it("is refused where it cannot be read", () => {
    assert.deepEqual(parseWith({}, { fault: "is not there" }).mistakes, [
      {
        key: "provision",
        found: '"nix/attic.yaml", a file that is not there',
        allowed: "the path of a file of attic-provision, seen from the folder of Pulumi.yaml",
      },
    ]);
  });

  it("may declare the caches that bring a key", () => {
    const answer = (cacheKeypairs: string) =>
      parseSettings({
        ...raw(content({ provision: "a.yaml", cacheKeypairs }), ["cacheKeypairs"]),
        readFile: () => ({ text: FILE }),
      }).mistakes?.map(({ allowed }) => allowed);
    const keypair = (cache: string) => JSON.stringify({ [cache]: KEYPAIR });
    assert.equal(answer(keypair("shared")), undefined);
    assert.deepEqual(answer(keypair("other")), ["any of my-project, shared"]);
  });

  it("is passed over by who reads no files", () => {
    const { settings } = parseSettings(raw(content({ provision: "nix/attic.yaml" })));
    assert.deepEqual([settings?.caches, settings?.tokens], [[], []]);
  });
});

/** Of RFC 8032, section 7.1, test 1. */
const KEYPAIR = `a:${Buffer.from(
  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  "hex",
).toString("base64")}`;

describe("the server_url of such a file", () => {
  const warnings = (address: string, over: Content = {}) =>
    parseWith(over, `# for the lab\nserver_url: ${address}\n`).warnings;

  it("is the stack's own host, or a further one of its server", () => {
    assert.deepEqual(warnings("https://cache.example.com/"), []);
    assert.deepEqual(warnings("http://cache.example.com:8080"), []);
    const server = { additionalHosts: ["attic.lan", "localhost:8080"] };
    assert.deepEqual(warnings("http://attic.lan", { server }), []);
    assert.deepEqual(warnings("http://localhost:8080", { server }), []);
  });

  it("is warned of where it names another host, and its password is not shown", () => {
    assert.deepEqual(warnings("http://me:hunter2@attic-server.infrastructure.svc.cluster.local:8080/x"), [
      "nix/attic.yaml:2:13: server_url names attic-server.infrastructure.svc.cluster.local:8080, but this stack's server is cache.example.com: its caches and tokens are made there, and server_url is not used. Set it to https://cache.example.com or leave it out.",
    ]);
  });
});
