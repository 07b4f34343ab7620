import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as yaml from "yaml";
import { type Mistake, nearest } from "../../components/settings/mistakes.ts";
import { describeMistakes, parseSettings } from "../../components/settings/parse.ts";
import { readProjectFile } from "../../components/settings/project-file.ts";
import { type SecretKey, secretKeys } from "../../components/settings/schema.ts";
import { ROOT } from "../paths.ts";
import { readIfThere, writeFileAtomically } from "../support/files.ts";
import { UserError } from "../support/user-error.ts";

export const PROJECT = "attic-stack";

/** Values that stand in for secrets that only the owner of a stack has: well formed, and good for nothing. */
const STAND_IN_SECRETS: Readonly<Record<SecretKey, string>> = {
  databaseUrl: "postgres://attic:sandbox-database-password@postgres.sandbox.example:5432/attic",
  storageAccessKeyId: "SANDBOXACCESSKEYID",
  storageSecretAccessKey: "sandbox-secret-access-key",
  // No cache has to bring a key.
  cacheKeypairs: "{}",
};

type Config = Record<string, unknown>;

/** What of Pulumi.yaml names other files. */
interface Project {
  main: string;
  plugins: { providers: { name: string; path: string }[] };
}

/** A stack's file, as the sandbox runs it. */
export interface StackFile {
  /** Folder with Pulumi.yaml and Pulumi.<stack>.yaml, for the engine. */
  folder: string;
  /** Secrets that the stack calls for and the sandbox makes up, to be set by the engine, which encrypts them. */
  secrets: Readonly<Partial<Record<SecretKey, string>>>;
}

/**
 * The settings of Pulumi.<stack>.yaml in the project's folder.
 *
 * @throws UserError where there is no such file, or all that is wrong with it: what the program would say
 *   too, before there is a cluster for it.
 */
export async function readStackFile(stack: string): Promise<Config> {
  const text = await readIfThere(join(ROOT, `Pulumi.${stack}.yaml`));
  if (text === undefined) throw await noSuchStack(stack);
  const config = configOf(stack, text);
  const mistakes = parse(config).filter((mistake) => !isMissingSecret(mistake));
  if (mistakes.length > 0) throw new UserError(describeMistakes(stack, PROJECT, mistakes));
  return config;
}

function configOf(stack: string, text: string): Config {
  try {
    const file = yaml.parse(text) as { config?: Config } | null;
    return file?.config ?? {};
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
    throw new UserError(`Pulumi.${stack}.yaml is not YAML: ${reason}`);
  }
}

/**
 * Writes the engine's copy of a stack's file, so that nothing of a sandbox is written into the project:
 * the engine puts its salt and its secrets into the file that it works with.
 */
export async function writeStackFile(sandbox: string, stack: string, config: Config): Promise<StackFile> {
  const folder = join(sandbox, "project");
  await mkdir(folder, { recursive: true });
  const project = yaml.parse((await readIfThere(join(ROOT, "Pulumi.yaml"))) ?? "") as Project;
  // The same program and plugins from another folder: by this the plain CLI runs them in the sandbox too.
  const providers = project.plugins.providers.map(({ name, path }) => ({ name, path: join(ROOT, path) }));
  const moved = { ...project, main: join(ROOT, project.main), plugins: { providers } };
  await writeFileAtomically(join(folder, "Pulumi.yaml"), yaml.stringify(moved), 0o644);

  const path = join(folder, `Pulumi.${stack}.yaml`);
  const before = (yaml.parse((await readIfThere(path)) ?? "") ?? {}) as {
    encryptionsalt?: string;
    config?: Config;
  };
  const plain = Object.fromEntries(Object.entries(config).filter(([, value]) => !isEncrypted(value)));
  const needed = neededSecrets(config);
  const kept = Object.entries(before.config ?? {}).filter(
    ([name, value]) => isEncrypted(value) && needed.some((secret) => name === `${PROJECT}:${secret}`),
  );
  const salt = before.encryptionsalt === undefined ? {} : { encryptionsalt: before.encryptionsalt };
  await writeFileAtomically(
    path,
    yaml.stringify({ ...salt, config: { ...plain, ...Object.fromEntries(kept) } }),
    0o600,
  );

  const missing = needed.filter((secret) => !kept.some(([name]) => name === `${PROJECT}:${secret}`));
  return { folder, secrets: Object.fromEntries(missing.map((name) => [name, STAND_IN_SECRETS[name]])) };
}

/** The secrets that the file has, and those whose absence is a mistake of its settings. */
function neededSecrets(config: Config): SecretKey[] {
  const missing = parse(config).filter(isMissingSecret);
  return (Object.keys(secretKeys) as SecretKey[]).filter(
    (name) => isEncrypted(config[`${PROJECT}:${name}`]) || missing.some(({ key }) => key === name),
  );
}

/** What is wrong with the settings, as far as it can be known without reading a secret. */
function parse(config: Config): readonly Mistake[] {
  const prefix = `${PROJECT}:`;
  const own = Object.entries(config)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value] as const);
  const standIns: Readonly<Record<string, string>> = STAND_IN_SECRETS;
  const values = own.map(([name, value]) => [
    name,
    isEncrypted(value) ? (standIns[name] ?? "") : asText(value),
  ]);
  const secrets = own.filter(([, value]) => holdsSecret(value)).map(([name]) => name);
  const raw = {
    values: Object.fromEntries(values) as Record<string, string>,
    secrets: new Set(secrets),
    readFile: readProjectFile,
  };
  return parseSettings(raw).mistakes ?? [];
}

function isMissingSecret({ key, found }: Mistake): boolean {
  return Object.hasOwn(secretKeys, key) && found === "nothing";
}

/** A value as the engine hands it to a program: objects as JSON, everything else as its text. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return isEncrypted(value) || Object.values(value).some(holdsSecret);
}

function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "secure";
}

async function noSuchStack(stack: string): Promise<UserError> {
  const stacks = (await readdir(ROOT)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  const near = nearest(stack, stacks);
  return new UserError(
    `There is no Pulumi.${stack}.yaml${near === undefined ? "." : `; did you mean ${near}?`} Stacks here: ${stacks.join(", ")}.`,
  );
}
