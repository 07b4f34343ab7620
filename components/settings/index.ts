import pulumi from "@pulumi/pulumi";
import { readKeypairs } from "./keypairs.ts";
import { describeMistakes, parseSettings } from "./parse.ts";
import { readProjectFile } from "./project-file.ts";
import { type SecretKey, secretKeys, type Settings } from "./schema.ts";

export type { CacheSettings } from "./caches.ts";
export type { Settings } from "./schema.ts";
export type { TokenSettings } from "./tokens.ts";

/** The settings of this stack and its secrets; a secret that the settings do not call for is not there. */
export interface StackSettings extends Settings {
  readonly secrets: Readonly<Partial<Record<SecretKey, pulumi.Output<string>>>>;
  /** Caches that bring a signing key of their own. */
  readonly cachesWithKeypair: ReadonlySet<string>;
}

/** The signing key that a cache brings, secret; undefined where the server is to generate one. */
export function keypairOf(settings: StackSettings, cache: string): pulumi.Output<string> | undefined {
  if (!settings.cachesWithKeypair.has(cache)) return undefined;
  return required(settings, "cacheKeypairs").apply((text) => new Map(readKeypairs(text)).get(cache) ?? "");
}

/**
 * A secret that the settings call for.
 *
 * @throws Error where it is missing, which the settings' rules have made sure of.
 */
export function required(settings: StackSettings, name: SecretKey): pulumi.Output<string> {
  const value = settings.secrets[name];
  if (value === undefined)
    throw new Error(`the secret ${name} is missing, and the settings' rules let that pass`);
  return value;
}

/** Exported by the SDK and documented nowhere, so its types leave it out; nothing public says the same. */
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };

/**
 * Reads Pulumi.<stack>.yaml by the schema, with the file of attic-provision that it names, and warns of what is
 * doubtful about them.
 *
 * @throws pulumi.RunError that lists every mistake, which the engine prints without a stack trace.
 */
export function readSettings(): StackSettings {
  const project = pulumi.getProject();
  const prefix = `${project}:`;
  const all = Object.entries(pulumi.runtime.allConfig())
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value] as const);

  const values: Record<string, string> = Object.fromEntries(all);
  const { settings, warnings, mistakes } = parseSettings({
    values,
    secrets: new Set(all.map(([name]) => name).filter((name) => isConfigSecret(prefix + name))),
    readFile: readProjectFile,
  });
  if (mistakes) throw new pulumi.RunError(describeMistakes(pulumi.getStack(), project, mistakes));
  for (const warning of warnings) void pulumi.log.warn(warning);

  const config = new pulumi.Config(project);
  const secrets = Object.fromEntries(
    (Object.keys(secretKeys) as SecretKey[]).flatMap((name) => {
      const value = config.getSecret(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const keypairs = values.cacheKeypairs === undefined ? [] : readKeypairs(values.cacheKeypairs);
  return { ...settings, secrets, cachesWithKeypair: new Set(keypairs.map(([cache]) => cache)) };
}
