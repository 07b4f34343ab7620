import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { checkBindings, shownBinding } from "./bindings.ts";
import { type Call, jsonOf, param } from "./call.ts";
import { ApiError, type Json } from "./envelope.ts";
import { readUpload } from "./upload.ts";
import type { ScriptState } from "../state.ts";

/** Bytes of a Worker after gzip, on the paid plan. */
const LARGEST = 10 * 1024 * 1024;
/** What the upload's metadata may hold beside what is read here, and comes back as it was given. */
const SETTINGS = [
  "annotations",
  "cache_options",
  "keep_assets",
  "keep_bindings",
  "limits",
  "logpush",
  "observability",
  "package_dependencies",
  "placement",
  "tags",
  "tail_consumers",
  "usage_model",
];

/** Makes a Worker, or gives it other contents: refused where it does not start, as Cloudflare does. */
export async function putScript(call: Call): Promise<Json> {
  const [account, name] = [param(call, "account"), param(call, "script")];
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name))
    throw new ApiError(
      400,
      10016,
      "The script's name may have lower-case letters, digits, - and _, 63 at most.",
    );
  const { metadata, modules, main, isModule } = readUpload(call);
  if (gzipSync(Buffer.concat(modules.map(({ contents }) => contents))).length > LARGEST)
    throw new ApiError(413, 10027, "Your Worker exceeded the size limit of 10 MiB.");
  const { main_module: _main, body_part: _body, bindings = [], ...rest } = metadata;
  const { compatibility_date: date, compatibility_flags: flags = [], ...settings } = rest;
  const strange = Object.keys(settings).find((key) => !SETTINGS.includes(key));
  if (strange !== undefined)
    throw new ApiError(400, 10021, `The sandbox's Cloudflare does not play ${strange} of a Worker.`);
  const before = call.edge.state.scripts.find((script) => script.account === account && script.name === name);
  const now = new Date().toISOString();
  const script: ScriptState = {
    account,
    name,
    created: before?.created ?? now,
    modified: now,
    etag: createHash("sha256")
      .update(JSON.stringify(modules.map(({ file }) => file)))
      .digest("hex"),
    handlers: [],
    modules: [main, ...modules.filter((module) => module !== main)].map(({ name: path, type, file }) => ({
      name: path,
      type,
      file,
    })),
    isModule,
    bindings: checkBindings(call, bindings),
    compatibilityDate: compatibilityDate(date),
    compatibilityFlags: Array.isArray(flags) ? flags.map(String) : [],
    settings,
    subdomain: before?.subdomain ?? { enabled: false, previews_enabled: false },
  };
  for (const { file, contents } of modules) await call.edge.keepFile(file, contents);
  const began = performance.now();
  script.handlers = await call.edge.inspect(script).catch((error: unknown) => {
    throw new ApiError(400, 10021, error instanceof Error ? error.message : String(error));
  });
  const startup = Math.round(performance.now() - began);
  await call.edge.change((state) => {
    state.scripts = [...state.scripts.filter((other) => !is(other, account, name)), script];
  });
  return { ...shown(script), startup_time_ms: startup };
}

/** Settings and bindings, without the texts of secrets. */
export function getSettings(call: Call): Json {
  const script = find(call);
  return {
    ...script.settings,
    bindings: script.bindings.map(shownBinding),
    compatibility_date: script.compatibilityDate,
    compatibility_flags: script.compatibilityFlags,
    logpush: script.settings.logpush ?? false,
    placement: script.settings.placement ?? {},
    tags: [],
    tail_consumers: script.settings.tail_consumers ?? null,
    usage_model: script.settings.usage_model ?? "standard",
  };
}

/** What the provider reads a Worker by. */
export function getService(call: Call): Json {
  const script = find(call);
  return {
    id: script.name,
    created_on: script.created,
    modified_on: script.modified,
    default_environment: {
      environment: "production",
      created_on: script.created,
      modified_on: script.modified,
      script: shown(script),
    },
  };
}

export function listScripts(call: Call): Json {
  return call.edge.state.scripts.filter(({ account }) => account === param(call, "account")).map(shown);
}

/** The modules as they were uploaded, in one form. */
export async function getContent(call: Call): Promise<Response> {
  const script = find(call);
  const form = new FormData();
  for (const { name, type, file } of script.modules) {
    const contents = new Uint8Array(await call.edge.readFile(file));
    form.append(name, new Blob([contents], { type }), name);
  }
  return new Response(form, { headers: { "cf-entrypoint": script.modules[0]?.name ?? "" } });
}

export async function deleteScript(call: Call): Promise<Json> {
  const { account, name } = find(call);
  await call.edge.change((state) => {
    state.scripts = state.scripts.filter((script) => !is(script, account, name));
    // With a Worker go its domains; a route stays, and leads nowhere.
    state.domains = state.domains.filter((domain) => domain.account !== account || domain.service !== name);
  });
  return null;
}

export function getSubdomain(call: Call): Json {
  return find(call).subdomain;
}

/** Whether the Worker answers at workers.dev, too. In the sandbox it has its address either way. */
export async function setSubdomain(call: Call): Promise<Json> {
  const { account, name, subdomain } = find(call);
  const { enabled, previews_enabled: previews } =
    call.method === "DELETE" ? { enabled: false, previews_enabled: false } : jsonOf(call);
  if (typeof enabled !== "boolean") throw new ApiError(400, 10021, "enabled must be true or false.");
  const changed = {
    enabled,
    previews_enabled: typeof previews === "boolean" ? previews : subdomain.previews_enabled,
  };
  await call.edge.change((state) => {
    const script = state.scripts.find((other) => is(other, account, name));
    if (script) script.subdomain = changed;
  });
  return changed;
}

function find(call: Call): ScriptState {
  const [account, name] = [param(call, "account"), param(call, "script")];
  const found = call.edge.state.scripts.find((script) => is(script, account, name));
  if (found) return found;
  throw new ApiError(404, 10007, "This Worker does not exist on your account.");
}

function is(script: ScriptState, account: string, name: string): boolean {
  return script.account === account && script.name === name;
}

function shown(script: ScriptState): Record<string, Json> {
  return {
    id: script.name,
    etag: script.etag,
    handlers: script.handlers,
    named_handlers: [],
    created_on: script.created,
    modified_on: script.modified,
    has_assets: false,
    has_modules: script.isModule,
    last_deployed_from: "api",
    logpush: script.settings.logpush ?? false,
    usage_model: script.settings.usage_model ?? "standard",
    compatibility_date: script.compatibilityDate,
    compatibility_flags: script.compatibilityFlags,
  };
}

function compatibilityDate(date: Json | undefined): string {
  const today = new Date().toISOString().slice(0, 10);
  // Without one a Worker runs as on Workers' first day.
  if (date === undefined || date === null || date === "") return "2021-11-02";
  if (typeof date !== "string" || !/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw new ApiError(
      400,
      10021,
      `Invalid compatibility date: ${JSON.stringify(date)}; it is written as 2026-01-31.`,
    );
  if (date > today)
    throw new ApiError(400, 10021, `Can't set compatibility date in the future: ${date}, today is ${today}.`);
  return date;
}
