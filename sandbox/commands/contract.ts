import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { parse } from "smol-toml";
import { signToken } from "../../components/attic/token.ts";
import { ROOT, SANDBOX } from "../paths.ts";
import { readIfThere } from "../support/files.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";

/** Attic's own variables for the key that signs tokens. */
const KEY_VARIABLES = {
  ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64: "RS256",
  ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64: "HS256",
} as const;
type KeyVariable = keyof typeof KEY_VARIABLES;

/** What the Secret with Attic's variables is called, before what Pulumi adds to it. */
const SECRET_PREFIX = "attic-environment-";
/** How long a server may take to answer, in milliseconds. */
const PATIENCE = 10_000;

/** A server, by the variables that the suite takes it from. */
type Target = { ATTIC_SERVER_URL: string } & Partial<
  Record<KeyVariable | "CONTRACT_ISSUER" | "CONTRACT_AUDIENCE", string>
>;

/**
 * `npm run contract [-- MOCHA-OPTIONS...]`: runs the contract suite against the server at ATTIC_SERVER_URL, else
 * against the sandbox's, which is started where it does not run.
 */
export async function contract(args: readonly string[], progress: Progress): Promise<void> {
  const { ATTIC_SERVER_URL: url = "" } = process.env;
  const target = url === "" ? await sandboxTarget(progress) : namedTarget(url);
  await check(target);
  progress.line(`  … contract suite against ${target.ATTIC_SERVER_URL}`);
  const mocha = join(ROOT, "node_modules/mocha/bin/mocha.js");
  // The key goes by the environment: anybody on the machine can read arguments.
  const child = spawn(process.execPath, [mocha, "--spec", "test/contract/*.test.ts", ...args], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...target },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("exit", resolve).on("error", reject);
  });
  process.exitCode = code ?? 1;
}

function namedTarget(url: string): Target {
  const names = Object.keys(KEY_VARIABLES) as KeyVariable[];
  if (!URL.canParse(url)) throw new UserError(`ATTIC_SERVER_URL is not an address: ${url}`);
  if (!names.some((name) => process.env[name]))
    throw new UserError(`Set ${names.join(" or ")} to the key by which the server at ${url} checks tokens.`);
  return { ATTIC_SERVER_URL: url };
}

async function sandboxTarget(progress: Progress): Promise<Target> {
  const found = await endpoints();
  if (found !== undefined && (await reach(found.attic)) === undefined) return await targetOf(found);
  await (await import("./start.ts")).start([], progress);
  const started = await endpoints();
  if (started === undefined) throw new UserError("The sandbox did not say where Attic is: run npm start.");
  return await targetOf(started);
}

interface Endpoints {
  attic: string;
  /** Path of a kubeconfig. */
  kubernetes: string;
}

async function endpoints(): Promise<Endpoints | undefined> {
  const text = await readIfThere(join(SANDBOX, "endpoints.json"));
  return text === undefined ? undefined : (JSON.parse(text) as Endpoints);
}

/** What the stack itself deployed: the key in its Secret, and in its server.toml what tokens are bound to. */
async function targetOf({ attic, kubernetes }: Endpoints): Promise<Target> {
  const config = new KubeConfig();
  config.loadFromFile(kubernetes);
  const api = config.makeApiClient(CoreV1Api);
  const { items: secrets } = await api.listSecretForAllNamespaces();
  const secret = secrets.find(({ metadata }) => metadata?.name?.startsWith(SECRET_PREFIX));
  const variable = (Object.keys(KEY_VARIABLES) as KeyVariable[]).find((name) => secret?.data?.[name]);
  if (secret === undefined || variable === undefined)
    throw new UserError(
      `The sandbox's cluster has no Secret ${SECRET_PREFIX}… with a signing key: run npm start.`,
    );
  const { items: maps } = await api.listNamespacedConfigMap({ namespace: secret.metadata?.namespace ?? "" });
  const toml = maps.find(({ data }) => data?.["server.toml"] !== undefined)?.data?.["server.toml"] ?? "";
  const { jwt = {} } = parse(toml) as { jwt?: Record<string, string | string[]> };
  const [issuer, audience] = [jwt["token-bound-issuer"], [jwt["token-bound-audiences"] ?? []].flat()[0]];
  return {
    ATTIC_SERVER_URL: attic,
    [variable]: Buffer.from(secret.data?.[variable] ?? "", "base64").toString(),
    ...(typeof issuer === "string" && { CONTRACT_ISSUER: issuer }),
    ...(audience !== undefined && { CONTRACT_AUDIENCE: audience }),
  };
}

/** @throws UserError where the server cannot be reached, is none of Attic's, or has another key. */
async function check(target: Target): Promise<void> {
  const { ATTIC_SERVER_URL: url } = target;
  const fault = await reach(url);
  if (fault !== undefined)
    throw new UserError(
      `Attic does not answer at ${url}: ${fault}. Start it, or set ATTIC_SERVER_URL to where it is.`,
    );
  const answer = await fetch(
    new URL(`_api/v1/cache-config/contract-${randomBytes(8).toString("hex")}`, url),
    {
      headers: { authorization: `Bearer ${await token({ ...process.env, ...target })}` },
      signal: AbortSignal.timeout(PATIENCE),
    },
  );
  const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
  if (error === "NoSuchCache") return;
  throw new UserError(
    error === "Unauthorized"
      ? `The server at ${url} does not take tokens signed by that key: give it the server's own, and where tokens are bound to an issuer or an audience set CONTRACT_ISSUER and CONTRACT_AUDIENCE.`
      : `What answers at ${url} is not Attic: asked for a cache, it said ${answer.status} in other words than Attic's.`,
  );
}

/** @returns what is wrong, or undefined where something answers there. */
async function reach(url: string): Promise<string | undefined> {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    return status === 200 ? undefined : `it said ${status}`;
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    return cause?.code ?? message;
  }
}

/** A token of a minute that may see one cache that is not there. */
async function token(env: NodeJS.ProcessEnv): Promise<string> {
  const [variable, algorithm] =
    Object.entries(KEY_VARIABLES).find(([name]) => env[name] !== undefined && env[name] !== "") ?? [];
  const { CONTRACT_ISSUER: issuer, CONTRACT_AUDIENCE: audience } = env;
  try {
    return await signToken(
      { algorithm: algorithm ?? "RS256", secret: env[variable ?? ""] ?? "" },
      {
        subject: "contract",
        permissions: { "contract-*": ["pull"] },
        expiresAt: Math.floor(Date.now() / 1000) + 60,
        ...(issuer !== undefined && { issuer }),
        ...(audience !== undefined && { audiences: [audience] }),
      },
    );
  } catch (error) {
    throw new UserError(`${variable ?? ""} cannot be used: ${(error as Error).message}`);
  }
}
