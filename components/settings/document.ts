import { bare, meta, type Schema } from "./node.ts";
import { plainKeys, secretKeys } from "./schema.ts";

/** One key as the page shows it. */
interface Row {
  path: string;
  allowed: string;
  default: string;
  description: string;
}

const EXAMPLE = `config:
  attic-stack:gateway:
    kind: gateway-api
    className: envoy
    host: cache.example.com
    tls:
      kind: cert-manager
      issuer: letsencrypt
  attic-stack:server:
    replicas: 2
  attic-stack:storage:
    kind: garage
    host: s3.example.com
  attic-stack:caches:
    - name: main
      retention: 90d
  attic-stack:tokens:
    - name: ci
      permissions:
        - cache: main
          allow: [pull, push]`;

/** docs/settings.md: every key that may stand in Pulumi.<stack>.yaml, from the schema that checks it. */
export function settingsPage(): string {
  return `${[
    "# Settings",
    "<!-- Written by `npm run docs` from components/settings; change it there. -->",
    "What may stand in `Pulumi.<stack>.yaml`, below `config:`. Every key has the project's name before it. A key that is not listed here is refused, all mistakes are shown at once, and nothing is changed before all of them are gone.",
    fenced("yaml", EXAMPLE),
    "On the command line the same is `pulumi config set --path server.replicas 2`, and in a list `pulumi config set --path 'caches[0].name' main`. A duration is a whole number with `s`, `m`, `h`, `d`, `w` or `y` (365 days); a size one with `Mi`, `Gi` or `Ti`.",
    ...Object.entries(plainKeys).flatMap(([name, schema]) => chapter(name, schema as unknown as Schema)),
    ...secrets(),
  ].join("\n\n")}\n`;
}

function chapter(name: string, schema: Schema): string[] {
  const { description } = meta(schema) ?? {};
  const { def } = bare(schema);
  const title = `## ${name}`;
  if (listed(schema) !== undefined) return [title, table(keyRows(name, schema))];
  if (def.type === "object")
    return [title, `${description} May be left out.`, table(objectRows(name, bare(schema)))];
  if (def.options === undefined) return [title, table([leafRow(name, schema)])];
  const fallback = defaultText(schema);
  const missing = fallback === "required" ? "Required." : `Without it: ${fallback}.`;
  return [
    title,
    `${description} ${missing}`,
    ...def.options.flatMap((option) => [
      `### ${name}.kind: ${kindOf(option)}`,
      String(meta(option)?.description),
      table(objectRows(name, option)),
    ]),
  ];
}

function objectRows(path: string, schema: Schema): Row[] {
  return Object.entries(schema.def.shape ?? {}).flatMap(([name, inner]) => keyRows(`${path}.${name}`, inner));
}

function keyRows(path: string, schema: Schema): Row[] {
  const inner = bare(schema);
  if (inner.def.type === "object")
    return [
      // A section that may be left out and has nothing of its own to say is told by its keys.
      ...(schema.def.type === "prefault" ? [] : [leafRow(path, schema, "an object")]),
      ...objectRows(path, inner),
    ];
  const element = listed(schema);
  if (element !== undefined) return [leafRow(path, schema), ...objectRows(`${path}[]`, element)];
  if (inner.def.discriminator === undefined) return [leafRow(path, schema)];
  return [
    leafRow(path, schema),
    ...(inner.def.options ?? []).flatMap((option) =>
      objectRows(path, option)
        .filter((row) => row.path !== `${path}.kind`)
        .map((row) => ({ ...row, description: `With the kind ${kindOf(option)}: ${row.description}` })),
    ),
  ];
}

/** What a list of objects holds. */
function listed(schema: Schema): Schema | undefined {
  const { element } = bare(schema).def;
  return element && bare(element).def.type === "object" ? bare(element) : undefined;
}

function leafRow(path: string, schema: Schema, allowed = meta(schema)?.allowed): Row {
  const { def } = bare(schema);
  if (def.type === "literal")
    return { path, allowed: code(def.values?.[0]), default: "required", description: "What it is." };
  return {
    path,
    allowed: allowed ?? "",
    default: defaultText(schema),
    description: meta(schema)?.description ?? "",
  };
}

function defaultText({ def }: Schema): string {
  if (def.type === "optional") return "none";
  if (!("defaultValue" in def)) return "required";
  return typeof def.defaultValue === "object" && !Array.isArray(def.defaultValue)
    ? Object.entries(def.defaultValue as Record<string, unknown>)
        .map(([key, value]) => code(`${key}: ${String(value)}`))
        .join(", ")
    : code(def.defaultValue);
}

function kindOf(option: Schema): string {
  return String(option.def.shape?.kind?.def.values?.[0]);
}

function secrets(): string[] {
  const rows = Object.entries(secretKeys).map(([name, schema]) => {
    const { description = "", allowed = "" } = meta(schema) ?? {};
    return [code(name), allowed, description];
  });
  return [
    "## Secrets",
    "Each has a key of its own at the top, because one secret would make the whole of an object secret. A secret is refused where it stands in plain, and where the settings have no use for it.",
    grid(["Key", "Form", "What it is"], rows),
    fenced(
      "sh",
      Object.keys(secretKeys)
        .map((name) => `pulumi config set --secret ${name}`)
        .join("\n"),
    ),
    "Each asks for its value, so that it does not stand in the shell's history. All other keys and passwords are made by the stack.",
  ];
}

function table(rows: readonly Row[]): string {
  return grid(
    ["Key", "Allowed", "Default", "What it is for"],
    rows.map((row) => [code(row.path), row.allowed, row.default, row.description]),
  );
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("<", "&lt;")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
