import { z } from "zod";
import { keypairFault } from "../attic/keypair.ts";
import { key } from "./leaf.ts";
import type { Mistake } from "./mistakes.ts";

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
    const fault = keypairFault(typeof keypair === "string" ? keypair : "");
    if (fault !== undefined) return `wrong in its ${entry(index, entries)}: ${fault}`;
  }
  return undefined;
}

function entry(index: number, all: readonly unknown[]): string {
  return `entry ${index + 1} of ${all.length}`;
}
