import { z } from "zod";
import { cacheList } from "./caches.ts";
import { databaseSection } from "./database.ts";
import { edgeSection } from "./edge.ts";
import { gatewaySection } from "./gateway.ts";
import { keypairs } from "./keypairs.ts";
import { choice, flag, key, label } from "./leaf.ts";
import { serverSection } from "./server.ts";
import { storageSection } from "./storage.ts";
import { tokenList, type TokenSettings } from "./tokens.ts";

const PROJECT_PATH = /^(?!\/)\P{Cc}{1,500}$/u;

/** Every plain key of Pulumi.<stack>.yaml, in the order in which the documentation shows them. */
export const plainKeys = {
  namespace: key(
    label("").refine((name) => name !== "default" && !name.startsWith("kube-")),
    "Kubernetes namespace, made by the stack, that holds all of it.",
    "at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit, and neither default nor kube-...",
  ).default("attic"),
  protectData: flag(
    "Refuse to delete or replace volumes and caches, and the password and the signing key that belong to them: also what `pulumi destroy`, another namespace or another kind of database or storage would do.",
  ).default(false),
  gateway: gatewaySection,
  server: serverSection.prefault({}),
  database: databaseSection.prefault({ kind: "postgres" }),
  storage: storageSection,
  caches: cacheList.default([]),
  tokens: tokenList.default([]),
  edge: edgeSection.optional(),
  connection: choice(
    "How the stack reaches the server to make caches. tunnel: through the Kubernetes API, so that the first `pulumi up` needs neither DNS nor a certificate. gateway: by the gateway's address.",
    ["tunnel", "gateway"],
  ).default("tunnel"),
  provision: key(
    z.string().regex(PROJECT_PATH),
    "A file of attic-provision, whose caches and tokens are added to those above.",
    "the path of a file, seen from the folder of Pulumi.yaml, such as attic-provision.yaml",
  ).optional(),
} as const;

const secretText = (description: string, pattern: RegExp, allowed: string): z.ZodString =>
  key(z.string().regex(pattern), description, allowed);

/**
 * Every secret key, set by `pulumi config set --secret`. They stand at the top because one secret makes the
 * whole of an object secret, and then nothing of that object could be shown or checked.
 */
export const secretKeys = {
  databaseUrl: secretText(
    "URL of the database, for the kind existing.",
    /^postgres(ql)?:\/\/[^\s:@/?#]+(:[^\s@/?#]*)?@[^\s@/?#]+\/[^\s/?#]+(\?[^\s#]*)?$/,
    "postgres://user:password@host:port/database, with what is special in the password percent-encoded, and with any sslmode but verify-ca, which Attic's driver crashes on",
    // An address that cannot be read would stop the program with an error that shows it.
  ).refine((text) => URL.canParse(text) && new URL(text).searchParams.get("sslmode") !== "verify-ca"),
  storageAccessKeyId: secretText(
    "Access key of the bucket, for the kind existing.",
    /^[\x21-\x7e]{1,256}$/,
    "a text without spaces",
  ),
  storageSecretAccessKey: secretText(
    "Secret key of the bucket, for the kind existing.",
    /^[\x21-\x7e]{1,256}$/,
    "a text without spaces",
  ),
  cacheKeypairs: keypairs,
} as const;

export type PlainKey = keyof typeof plainKeys;
export type SecretKey = keyof typeof secretKeys;

/** What the plain keys say, each by itself. */
export type Declared = { readonly [K in PlainKey]: z.infer<(typeof plainKeys)[K]> };

/**
 * The settings of a stack, checked, with every default filled in, and with the caches and tokens of the file of
 * attic-provision. Secrets are not in it.
 */
export type Settings = Omit<Declared, "tokens"> & { readonly tokens: readonly TokenSettings[] };

/** What of the secrets is there and well formed. */
export type SecretsGiven = ReadonlySet<SecretKey>;
