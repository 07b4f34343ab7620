import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as yaml from "yaml";
import { settingsPage } from "../../../components/settings/document.ts";
import { bare, type Schema } from "../../../components/settings/node.ts";
import { plainKeys, secretKeys } from "../../../components/settings/schema.ts";
import { content, type Content, parse } from "../../support/stack-files.ts";

/** Every key that the schema knows, as a path, found by another way than the page's. */
function paths(path: string, schema: Schema): string[] {
  const { def } = bare(schema);
  if (def.element !== undefined && bare(def.element).def.shape !== undefined)
    return [path, ...paths(`${path}[]`, def.element)];
  if (def.shape !== undefined)
    return Object.entries(def.shape).flatMap(([name, inner]) => paths(`${path}.${name}`, inner));
  if (def.discriminator !== undefined)
    return [path, ...(def.options ?? []).flatMap((option) => paths(path, option))];
  return [path];
}

/** What the examples of a page set, each as a stack's file without the project's name. */
function examples(page: string): Content[] {
  return [...page.matchAll(/^```yaml\n(config:\n[^`]*)^```$/gm)].map(([, text]) => {
    const { config } = yaml.parse(text!) as { config: Content };
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.replace("attic-stack:", ""), value]),
    );
  });
}

describe("the examples in the documentation", () => {
  for (const name of ["settings", "caches"]) {
    it(`are right: docs/${name}.md`, () => {
      const files = examples(readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), "utf8"));
      assert.notEqual(files.length, 0);
      for (const file of files) assert.equal(parse(content(file)).mistakes, undefined);
    });
  }
});

describe("the page of settings", () => {
  const page = settingsPage();

  it("is what docs/settings.md holds (npm run docs writes it)", () => {
    assert.equal(readFileSync(new URL("../../../docs/settings.md", import.meta.url), "utf8"), page);
  });

  it("has a row for every key of the schema, with its full path", () => {
    const known = Object.entries(plainKeys).flatMap(([name, schema]) =>
      paths(name, schema as unknown as Schema),
    );
    // A union is a heading and not a row at the top, and its tls.kind stands in the row of tls.
    const wanted = new Set(
      known.filter((path) => !["gateway", "database", "storage", "gateway.tls.kind"].includes(path)),
    );
    const rows = new Set([...page.matchAll(/^\| `([^`]+)` \| /gm)].map(([, path]) => path!));
    for (const other of [...Object.keys(secretKeys), "gateway.parent"]) assert.ok(rows.delete(other), other);
    assert.deepEqual([...rows].sort(), [...wanted].sort());
  });

  it("has a part for every kind", () => {
    assert.deepEqual(
      page.match(/^### .*/gm),
      [
        "gateway.kind: gateway-api",
        "gateway.kind: traefik",
        "gateway.kind: nginx",
        "database.kind: postgres",
        "database.kind: existing",
        "storage.kind: garage",
        "storage.kind: minio",
        "storage.kind: existing",
        "storage.kind: volume",
      ].map((title) => `### ${title}`),
    );
  });

  it("shows type, default and purpose of a key", () => {
    assert.ok(
      page.includes(
        "\n| `server.replicas` | a whole number from 1 to 50 | `1` | API servers. From two on they are spread over nodes and zones and have a disruption budget. |\n",
      ),
    );
  });

  it("says which keys are required and which have no default", () => {
    assert.ok(
      page.includes(
        "\n| `storage.region` | a region's name, such as eu-central-1, garage or auto | required |",
      ),
    );
    assert.match(page, /\n\| `server\.tokenIssuer` \| [^|]* \| none \|/);
    assert.match(page, /\n## gateway\n\nThe way in\. Required\.\n/);
    assert.match(page, /\n## database\n\n[^\n]* Without it: `kind: postgres`\.\n/);
  });

  it("says how each secret is set", () => {
    const commands = page.match(/^pulumi config set --secret .*$/gm);
    assert.deepEqual(
      commands,
      Object.keys(secretKeys).map((name) => `pulumi config set --secret ${name}`),
    );
    for (const name of Object.keys(secretKeys))
      assert.equal(page.split(`\n| \`${name}\` | `).length, 2, name);
  });

  it("leaves no cell empty and breaks no table", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| "));
    const broken = rows.filter(
      (row) => ![3, 4].includes(row.split(/(?<!\\)\|/).length - 2) || row.includes(" |  |"),
    );
    assert.deepEqual(broken, []);
  });
});
