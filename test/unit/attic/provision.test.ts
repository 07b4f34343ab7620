import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Provision, readProvision } from "../../../components/attic/provision.ts";
import type { Mistake } from "../../../components/settings/mistakes.ts";

/** A mistake in one line, without the file's name. */
const lineOf = ({ key, found, allowed, place }: Mistake) =>
  `${place?.line}:${place?.column}: ${key}: found ${found}, allowed ${allowed}`;

function accepted(text: string): Provision {
  const { provision, mistakes } = readProvision(text, "attic-provision.yaml");
  assert.ok(provision, mistakes?.map(lineOf).join("\n"));
  return provision;
}

function refused(text: string): string[] {
  return (readProvision(text, "attic-provision.yaml").mistakes ?? []).map(lineOf);
}

const NAME = "a text: 1 to 50 of A-Z, a-z, 0-9, -, _ and +, beginning with a letter or digit";
const LABEL = "at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit";
const PATTERN =
  "one name or pattern: 1 to 50 of A-Z, a-z, 0-9, -, _ and +, beginning with a letter or digit; * stands for any text and may come first";
const FILE = "an object with the keys server_url, admin_token, caches, tokens";

describe("a file of attic-provision", () => {
  it("is read as its users have it", () => {
    const text = readFileSync(new URL("provision-example.yaml", import.meta.url), "utf8");
    const place = (line: number, column: number) => ({ file: "attic-provision.yaml", line, column });
    const defaults = {
      priority: 41,
      storeDir: "/nix/store",
      upstreamCacheKeyNames: ["cache.nixos.org-1"],
      adopt: false,
      protect: true,
    };
    assert.deepEqual(accepted(text), {
      serverUrl: "http://attic-server.infrastructure.svc.cluster.local",
      caches: [
        { name: "my-project", public: false, retention: "30d", ...defaults },
        { name: "shared", public: true, retention: "90d", ...defaults },
      ],
      tokens: [
        {
          name: "project-builder",
          permissions: [{ cache: "my-project", allow: ["pull", "push"] }],
          validity: "90d",
          netrc: [],
        },
        {
          name: "project-readonly",
          permissions: [{ cache: "my-project", allow: ["pull"] }],
          validity: "90d",
          netrc: [],
        },
      ],
      places: {
        serverUrl: place(3, 13),
        caches: [place(7, 11), place(11, 11)],
        tokens: [place(16, 11), place(21, 11)],
      },
      warnings: [
        "attic-provision.yaml:4:1: admin_token is not used, because the stack signs its own tokens. Take it out; if it is a token of this stack's server, let the stack make a new signing key.",
      ],
    });
  });

  it("may leave out everything but names, the cache of a token and what it may do", () => {
    const { caches, tokens, warnings, serverUrl } = accepted(
      "caches: [{name: a}, {name: b, public: ~, retention_period: }]\ntokens: [{name: t, cache: team-*, write: true}]\n",
    );
    assert.deepEqual(
      caches.map((cache) => [cache.public, cache.retention]),
      [
        [false, "default"],
        [false, "default"],
      ],
    );
    assert.deepEqual(tokens[0]?.permissions, [{ cache: "team-*", allow: ["push"] }]);
    assert.deepEqual([warnings, serverUrl], [[], undefined]);
  });

  it("may have lists with nothing in them, anchors, comments, line ends of Windows and a byte order mark", () => {
    assert.deepEqual(accepted("caches:\r\ntokens: []\r\n").caches, []);
    const { caches } = accepted(
      "\uFEFF# all\ncaches:\n  - { name: a, retention_period: &long never }\n  - { name: b, retention_period: *long }\n",
    );
    assert.deepEqual(
      caches.map(({ retention }) => retention),
      ["never", "never"],
    );
  });

  it("warns of an admin_token only where there is one", () => {
    for (const value of ["", "~", '""']) assert.deepEqual(accepted(`admin_token: ${value}\n`).warnings, []);
    for (const value of ["abc", "{ a: 1 }", "7"])
      assert.equal(accepted(`admin_token: ${value}\n`).warnings.length, 1);
  });

  it("is refused with all of its mistakes at once, each with its line and column", () => {
    const text = [
      "server_url: attic.example.com",
      "server-url: https://attic.example.com",
      "caches:",
      '  - name: "main"',
      "    public: yes",
      '    retention_period: "90 days"',
      "  - nam: x",
      "  - 7",
      "tokens:",
      "  - name: Project_Builder",
      "    cache: [a, b]",
      "    read: true",
      "    permissions: [pull]",
      "  - { name: b, cache: /, write: 1 }",
    ].join("\n");
    assert.deepEqual(refused(text), [
      '1:13: server_url: found "attic.example.com", allowed an http:// or https:// address',
      '5:13: caches[0].public: found "yes", allowed true or false',
      '6:23: caches[0].retention_period: found "90 days", allowed default, never, or a whole number with s, m, h, d, w or y such as 90d, at most 68y',
      `7:5: caches[1].name: found nothing, allowed ${NAME}`,
      "7:5: caches[1].nam: found a key that is not known, allowed did you mean name? Known are name, public, retention_period",
      "8:5: caches[2]: found 7, allowed an object with the keys name, public, retention_period",
      `10:11: tokens[0].name: found "Project_Builder", allowed ${LABEL}, such as project-builder`,
      `11:12: tokens[0].cache: found a list, allowed ${PATTERN}`,
      "13:5: tokens[0].permissions: found a key that is not known, allowed name, cache, read, write",
      `14:23: tokens[1].cache: found "/", allowed ${PATTERN}`,
      "14:33: tokens[1].write: found 1, allowed true or false",
      "2:1: server-url: found a key that is not known, allowed did you mean server_url? Known are server_url, admin_token, caches, tokens",
    ]);
  });

  it("is refused where names stand twice, with the line of the first", () => {
    assert.deepEqual(
      refused(
        "caches:\n  - name: a\n  - name: a\ntokens:\n  - { name: t, cache: a, read: true }\n  - { name: t, cache: b, read: true }\n",
      ),
      [
        '3:11: caches[1].name: found "a", allowed a name of its own, because caches[0] in line 2 has this one',
        '6:13: tokens[1].name: found "t", allowed a name of its own, because tokens[0] in line 5 has this one',
      ],
    );
  });

  it("is refused where a token may do nothing", () => {
    assert.deepEqual(
      refused("tokens:\n  - name: t\n    cache: a\n  - { name: u, cache: a, read: false }\n"),
      [
        "2:5: tokens[0]: found neither read nor write, allowed read: true, write: true, or both",
        "4:5: tokens[1]: found neither read nor write, allowed read: true, write: true, or both",
      ],
    );
  });

  const names: [given: string, fitting: string][] = [
    ["CI", ", such as ci"],
    ["ci.main@example.com", ", such as ci-main-example-com"],
    ["--a--", ", such as a"],
    [`${"a".repeat(62)}-b`, `, such as ${"a".repeat(62)}`],
    ["ключ", ""],
  ];
  for (const [given, fitting] of names) {
    it(`is refused for a token's name that no resource can have, with one that fits: ${given}`, () => {
      const [line] = refused(`tokens: [{ name: "${given}", cache: a, read: true }]`);
      assert.ok(line?.endsWith(`, allowed ${LABEL}${fitting}`), line);
    });
  }

  const texts: Record<string, [text: string, ...lines: string[]]> = {
    nothing: ["", `1:1: the file: found nothing, allowed ${FILE}`],
    "a comment": ["# caches\n", `1:1: the file: found nothing, allowed ${FILE}`],
    "a text": ["caches", `1:1: the file: found "caches", allowed ${FILE}`],
    "a list": ["- name: a\n", `1:1: the file: found a list, allowed ${FILE}`],
    "a tab": ["caches:\n\t- name: a\n", "2:1: the file: found a tab in the indentation, allowed spaces"],
    "a key twice, and what is wrong beside it": [
      "caches:\n  - name: a\n    name: b\n    public: 1\n",
      "3:5: the file: found a key that its object has already, allowed each key once",
      "4:13: caches[0].public: found 1, allowed true or false",
    ],
    "a second document": [
      "caches: []\n---\ntokens: []\n",
      "2:1: the file: found a second document, allowed one document: no line that is ---, but at the top",
    ],
    "a line that is not deep enough": [
      "caches:\n  - name: a\n public: true\n",
      "3:1: the file: found a line that is indented wrongly, allowed the indentation of the lines that it belongs to",
    ],
    "a quote that does not end": [
      'caches:\n  - name: "a\n',
      "3:1: the file: found a bracket, quote, comma or colon missing, allowed pairs of brackets and quotes, and a colon and space after a key",
    ],
    "a star without quotes": [
      "tokens:\n  - name: t\n    cache: *x\n    read: true\n",
      "3:12: the file: found a * with a name that no & gives, allowed a name that an & before it gives, or the value in quotes",
    ],
    "a tag": [
      "server_url: !env ATTIC_SERVER_URL\n",
      "1:13: the file: found a tag that is not known, allowed plain values, without a word that begins with !",
      '1:18: server_url: found "ATTIC_SERVER_URL", allowed an http:// or https:// address',
    ],
    "a merge, which that tool does not know either": [
      "caches:\n  - <<: { name: a }\n    name: b\n",
      '2:5: caches[0]."<<": found a key that is not known, allowed name, public, retention_period',
    ],
    "a list as a key": ["? [a]\n: b\n", "1:3: the file: found a key that is no text, allowed texts as keys"],
    "what JavaScript's objects have anyway": [
      "__proto__: { caches: [] }\n",
      "1:1: __proto__: found a key that is not known, allowed server_url, admin_token, caches, tokens",
    ],
    "a list in itself": [
      "caches: &a [*a]\n",
      "1:13: caches[0]: found a list, allowed an object with the keys name, public, retention_period",
    ],
  };
  for (const [what, [text, ...lines]] of Object.entries(texts)) {
    it(`is refused where it is or has ${what}`, () => {
      assert.deepEqual(refused(text), lines);
    });
  }

  it("is refused where few lines stand for more than any machine holds", () => {
    const rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 12; level += 1)
      rows.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(", ")}]`,
      );
    assert.deepEqual(refused(rows.join("\n")), [
      "1:1: the file: found more than can be read, allowed plain lists and objects",
    ]);
    assert.deepEqual(refused(`caches: [&a {name: a}${", *a".repeat(100_000)}]`), [
      "1:1: the file: found more than can be read, allowed plain lists and objects",
    ]);
  });

  it("is refused by the first ten lines that are not YAML", () => {
    const lines = refused(`caches: []\n${"}\n".repeat(100)}`);
    assert.equal(lines.length, 10);
    assert.equal(
      lines[0],
      "2:1: the file: found what is not YAML, allowed YAML, with each list and object as the lines above begin it",
    );
  });

  it("never has its token in what is said of it, wherever the token got to", () => {
    const token = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl";
    const misplaced = [
      `server_url: ${token}`,
      `admin_tokn: ${token}`,
      `caches: { admin_token: ${token} }`,
      `caches: [${token}]`,
      `tokens: [{ name: ${token}, cache: a, read: true }]`,
      `tokens: [{ name: a, cache: "Bearer ${token}", read: ${token} }]`,
      `- admin_token: ${token}`,
      token,
      `admin_token: *${token}`,
      `admin_token: !${token} a`,
      `admin_token: "${token}`,
      `admin_token: a: ${token}`,
      `admin_token: ${token}\n admin_token: b`,
    ];
    for (const text of misplaced) {
      const lines = refused(text);
      assert.notEqual(lines.length, 0, text);
      assert.ok(!/eyJ|c2VjcmV0/.test(lines.join("\n").toLowerCase() + lines.join("\n")), lines.join("\n"));
    }
  });
});
