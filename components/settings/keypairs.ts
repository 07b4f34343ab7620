import { createPrivateKey, createPublicKey } from "node:crypto";
import { z } from "zod";
import { key } from "./leaf.ts";
import type { Mistake } from "./mistakes.ts";

/** An Ed25519 key as Nix writes it: the private half and then the public one, of 32 bytes each. */
const HALF = 32;
const NAMED_KEY = /^[^\s:]{1,255}:([A-Za-z0-9+/]+={0,2})$/;
/** What stands before the private half in PKCS#8 (RFC 8410, section 7). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

const FORM =
  'JSON with a key for each cache, as `nix key generate-secret` writes it: {"main": "main-1:base64 of 64 bytes"}';

/** The secret of caches that bring their own signing key. What is said of it never quotes it, not even its names. */
export const keypairs = key(
  z.string().superRefine((text, context) => {
    const fault = keypairsFault(text);
    if (fault !== undefined) context.addIssue({ code: "custom", message: `a secret that is ${fault}` });
  }),
  "Signing keys of caches that do not get a generated one, so that their clients trust what they trusted before.",
  FORM,
);

/** Cache and key of each entry of a secret that is well formed. */
export function readKeypairs(text: string): [cache: string, keypair: string][] {
  return Object.entries(JSON.parse(text) as Record<string, string>);
}

/** The mistakes of entries for caches that there are not. */
export function keypairMistakes(text: string, caches: readonly string[]): Mistake[] {
  const names = readKeypairs(text).map(([name]) => name);
  return names.flatMap((name, index) =>
    caches.includes(name)
      ? []
      : [
          {
            key: "cacheKeypairs",
            found: `a secret whose ${entry(index, names)} is for no cache of the settings`,
            allowed:
              caches.length === 0 ? "nothing, because there are no caches" : `any of ${caches.join(", ")}`,
          },
        ],
  );
}

function keypairsFault(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "no JSON object";
  const entries = Object.values(value);
  for (const [index, keypair] of entries.entries()) {
    const fault = keypairFault(keypair);
    if (fault !== undefined) return `wrong in its ${entry(index, entries)}: ${fault}`;
  }
  return undefined;
}

function keypairFault(keypair: unknown): string | undefined {
  const [, payload = ""] = NAMED_KEY.exec(typeof keypair === "string" ? keypair : "") ?? [];
  const bytes = Buffer.from(payload, "base64");
  // Node is easy about padding, Attic is not.
  if (payload === "" || bytes.toString("base64") !== payload) return "it is not a name, a colon and base64";
  if (bytes.length === HALF) return "it has 32 bytes, as a public key has";
  if (bytes.length !== 2 * HALF) return "it has not 64 bytes";
  const seed = createPrivateKey({
    key: Buffer.concat([PKCS8, bytes.subarray(0, HALF)]),
    format: "der",
    type: "pkcs8",
  });
  const publicHalf = createPublicKey(seed).export({ format: "der", type: "spki" }).subarray(-HALF);
  // Attic believes the second half, and then signs what nobody can verify.
  return publicHalf.equals(bytes.subarray(HALF))
    ? undefined
    : "its public half is not that of its private half";
}

function entry(index: number, all: readonly unknown[]): string {
  return `entry ${index + 1} of ${all.length}`;
}
