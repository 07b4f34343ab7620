import pulumi from "@pulumi/pulumi";
import { describeMistakes, parseSettings } from "./parse.ts";
import { type SecretKey, secretKeys, type Settings } from "./schema.ts";

export type { Settings } from "./schema.ts";

/** The settings of this stack and its secrets; a secret that the settings do not call for is not there. */
export interface StackSettings extends Settings {
  readonly secrets: Readonly<Partial<Record<SecretKey, pulumi.Output<string>>>>;
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
 * Reads Pulumi.<stack>.yaml by the schema.
 *
 * @throws pulumi.RunError that lists every mistake, which the engine prints without a stack trace.
 */
export function readSettings(): StackSettings {
  const project = pulumi.getProject();
  const prefix = `${project}:`;
  const all = Object.entries(pulumi.runtime.allConfig())
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value] as const);

  const { settings, mistakes } = parseSettings({
    values: Object.fromEntries(all),
    secrets: new Set(all.map(([name]) => name).filter((name) => isConfigSecret(prefix + name))),
  });
  if (mistakes) throw new pulumi.RunError(describeMistakes(pulumi.getStack(), project, mistakes));

  const config = new pulumi.Config(project);
  const secrets = Object.fromEntries(
    (Object.keys(secretKeys) as SecretKey[]).flatMap((name) => {
      const value = config.getSecret(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { ...settings, secrets };
}
