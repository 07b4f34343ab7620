import { z } from "zod";
import { toSeconds } from "../../components/attic/duration.ts";
import { isCachePattern, PATTERN_RULE } from "../../components/attic/names.ts";
import { type Permission, PERMISSIONS } from "../../components/attic/permissions.ts";
import { keyIdOf, signToken } from "../../components/attic/token.ts";
import type { CreateRequest, DiffRequest, DiffResult, State, UpdateRequest } from "../protocol/provider.ts";
import { asText, type Properties, revealAll, Secret, Unknown } from "../protocol/values.ts";
import type { Connection } from "./connection.ts";
import { type AtticResource, differences } from "./resource.ts";

const text = z.string("expected a text").min(1, "expected a text");
/** Ends within what JavaScript's and Attic's clocks can count; in seconds. */
const LONGEST = toSeconds("100y") ?? 0;
const duration = z
  .string("expected a text")
  .refine(
    (given) => (toSeconds(given) ?? Infinity) <= LONGEST,
    "expected a whole number with s, m, h, d, w or y such as 90d, at most 100y",
  );
/** Clocks may be five minutes apart, either way; in seconds. */
const SHORTEST = toSeconds("10m") ?? 0;
const permission = z.enum(
  Object.keys(PERMISSIONS) as Permission[],
  `expected one of ${Object.keys(PERMISSIONS).join(", ")}`,
);

const grant = z.strictObject({
  cache: z
    .string("expected a text")
    .refine(isCachePattern, `expected a cache name or pattern: ${PATTERN_RULE}`),
  allow: z.array(permission).min(1, "expected at least one permission"),
});

const shape = {
  subject: text,
  permissions: z
    .array(grant, "expected a list of { cache, allow }")
    .min(1, "expected at least one cache or pattern")
    .refine(
      (grants) => new Set(grants.map(({ cache }) => cache)).size === grants.length,
      "expected each cache or pattern once",
    ),
  validity: duration
    .refine(
      (given) => (toSeconds(given) ?? Infinity) > SHORTEST,
      "expected more than 10m: with clocks that are a few minutes apart it would have ended when it is made",
    )
    .default("90d"),
  renewBefore: duration.optional(),
  notBefore: z.iso
    .datetime({ offset: true, error: "expected a time such as 2027-01-31T00:00:00Z" })
    .optional(),
  issuer: text.optional(),
  audiences: z.array(text).min(1, "expected at least one").optional(),
};
type TokenInputs = z.infer<z.ZodObject<typeof shape>>;

/** A token, signed with no server asked. Nothing of it is kept anywhere but in the state. */
export const accessToken: AtticResource = {
  shape,
  secrets: [],
  together: ({ validity, renewBefore }) =>
    typeof validity === "string" &&
    typeof renewBefore === "string" &&
    (toSeconds(renewBefore) ?? 0) >= (toSeconds(validity) ?? 0)
      ? [
          {
            property: "renewBefore",
            reason: `expected less than its validity, ${validity}: every update would make a new one`,
          },
        ]
      : [],
  diff,
  create: async (connection, { urn, inputs, preview }: CreateRequest): Promise<State> => {
    const name = urn.split("::").at(-1) ?? "";
    return preview
      ? { id: "", outputs: notKnownYet() }
      : { id: name, outputs: await sign(connection, inputs) };
  },
  read: (_connection, { id, inputs, outputs }) => {
    if (Object.keys(outputs).length > 0) return Promise.resolve({ id, inputs, outputs });
    throw new Error(
      "A token cannot be imported: the server keeps none. Declare it, and a new one is signed.",
    );
  },
  update: async (connection, { news, preview }: UpdateRequest): Promise<Properties> =>
    preview ? notKnownYet() : await sign(connection, news),
  // Nothing can take back a token before it ends, short of another signing key.
  delete: () => Promise.resolve(),
};

/** A token is made anew when it says something else, was signed by another key, or comes to its end. */
function diff({ key }: Connection, { oldInputs, olds, news }: DiffRequest): DiffResult {
  const detailed = differences(
    oldInputs,
    news,
    Object.keys(shape).filter((name) => name !== "renewBefore"),
  );
  if (olds.keyId !== keyIdOf(key)) detailed.set("keyId", { kind: "update", input: false });
  const left = Date.parse(asText(olds.expiresAt)) / 1000 - now();
  // What is not known yet changes the token anyway.
  if (detailed.size === 0 && !(left >= renewBefore(inputsOf(news))))
    detailed.set("expiresAt", { kind: "update", input: false });
  return {
    changes: detailed.size > 0,
    replaces: [],
    diffs: [...detailed.keys()],
    deleteBeforeReplace: false,
    detailed,
  };
}

async function sign(connection: Connection, given: Properties): Promise<Properties> {
  const { subject, permissions, validity, notBefore, issuer, audiences } = inputsOf(given);
  const begin = notBefore === undefined ? undefined : Math.floor(Date.parse(notBefore) / 1000);
  const expiresAt = Math.max(now(), begin ?? 0) + (toSeconds(validity) ?? 0);
  const value = await signToken(connection.key, {
    subject,
    permissions: Object.fromEntries(permissions.map(({ cache, allow }) => [cache, allow])),
    expiresAt,
    ...(begin !== undefined && { notBefore: begin }),
    ...(issuer !== undefined && { issuer }),
    ...(audiences !== undefined && { audiences }),
  });
  return {
    value: new Secret(value),
    expiresAt: new Date(expiresAt * 1000).toISOString(),
    keyId: keyIdOf(connection.key),
  };
}

function notKnownYet(): Properties {
  return { value: new Secret(new Unknown()), expiresAt: new Unknown(), keyId: new Unknown() };
}

/** In seconds; a third of the validity unless told. */
function renewBefore({ validity, renewBefore: told }: TokenInputs): number {
  return told === undefined ? (toSeconds(validity) ?? 0) / 3 : (toSeconds(told) ?? 0);
}

function inputsOf(given: Properties): TokenInputs {
  return revealAll(given) as unknown as TokenInputs;
}

/** In seconds since 1970. */
function now(): number {
  return Math.floor(Date.now() / 1000);
}
