import { z } from "zod";
import { isCachePattern, PATTERN_RULE } from "../attic/names.ts";
import { EVERYTHING, type Permission } from "../attic/permissions.ts";
import { choice, interval, key, label, seconds, section } from "./leaf.ts";
import type { ServerSettings } from "./server.ts";

/** Ends within what JavaScript's and Attic's clocks can count. */
const LONGEST_VALIDITY = "100y";
const VALIDITY = /^[1-9][0-9]{0,5}[hdwy]$/;

const text = (description: string): z.ZodString =>
  key(
    z
      .string()
      .min(1)
      .max(256)
      // A line break in a claim would break what is shown of it.
      .regex(/^\P{Cc}*$/u),
    description,
    "a text of 1 to 256 characters",
  );

const RFC_3339 = z.iso.datetime({ offset: true, precision: 0 });
/** What the CLI makes of a time that stands in the file without quotes: it writes it as Go does. */
const GO_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d) \S+$/;

const withoutGo = (time: string): string => time.replace(GO_TIME, "$1T$2$3:$4").replace(/\+00:00$/, "Z");

function isTime(text: string): boolean {
  const time = withoutGo(text);
  return RFC_3339.safeParse(time).success && Date.parse(time) >= 0;
}

const permissionSection = section("What it may do on a cache.", {
  cache: key(
    z.string().refine(isCachePattern),
    "Name of a cache, or a pattern. For a cache that very name wins, then the first pattern that matches, and never two together.",
    `a text: ${PATTERN_RULE}`,
  ),
  allow: key(
    z.array(choice("A permission.", EVERYTHING as [Permission, ...Permission[]])).min(1),
    "What is allowed there.",
    `a list of one or more of ${EVERYTHING.join(", ")}`,
  ),
});

export const tokenSection = section("An access token.", {
  name: label("What the token is called in this stack."),
  subject: text(
    "Who it is for, which Attic keeps with every path that is pushed; without it the name.",
  ).optional(),
  permissions: key(
    z.array(permissionSection).min(1).max(100),
    "What it may do and where, in the order in which Attic looks.",
    "a list of 1 to 100 objects with the keys cache and allow",
  ),
  validity: key(
    z
      .string()
      .regex(VALIDITY, { abort: true })
      .refine((duration) => seconds(duration) <= seconds(LONGEST_VALIDITY)),
    "How long it is valid. Only another signing key takes a token back before that.",
    `a whole number with h, d, w or y of at most ${LONGEST_VALIDITY}, such as 90d`,
  ).default("90d"),
  renewBefore: interval(
    "The first `pulumi up` within this time before its end makes a new one; without it a third of validity.",
  ).optional(),
  notBefore: key(
    z.string().refine(isTime),
    "When it begins to be valid; without it, at once.",
    "a time with its zone, such as 2027-01-31T08:00:00Z",
  ).optional(),
  issuer: text("Its `iss` claim; without it server.tokenIssuer.").optional(),
  audiences: key(
    z.array(text("An audience.")).min(1).max(20),
    "Its `aud` claim; without it server.tokenAudiences.",
    "a list of 1 to 20 texts",
  ).optional(),
  netrc: key(
    z.array(label("A namespace.")).max(100),
    "Namespaces, which have to be there, that get the token as netrc in a Secret named nix-builder-netrc.",
    "a list of at most 100 namespaces",
  ).default([]),
});

export const tokenList = key(
  z.array(tokenSection),
  "Access tokens, signed by the stack without asking the server.",
  "a list of tokens",
);

/** A token as it was declared. */
export type DeclaredToken = z.infer<typeof tokenSection>;

/** A token with all that its declaration leaves to its name, its validity and the server; its times are RFC 3339. */
export type TokenSettings = Omit<DeclaredToken, "subject" | "renewBefore"> & {
  subject: string;
  renewBefore: string;
};

/** Fills in what a declaration leaves out. */
export function completeToken(
  token: DeclaredToken,
  server: Pick<ServerSettings, "tokenIssuer" | "tokenAudiences">,
): TokenSettings {
  const issuer = token.issuer ?? server.tokenIssuer;
  const audiences = token.audiences ?? server.tokenAudiences;
  const { notBefore } = token;
  return {
    ...token,
    ...(notBefore !== undefined && { notBefore: withoutGo(notBefore) }),
    subject: token.subject ?? token.name,
    renewBefore: token.renewBefore ?? thirdOf(token.validity),
    ...(issuer !== undefined && { issuer }),
    ...(audiences !== undefined && { audiences }),
  };
}

/** A third of a duration of whole hours, in the largest unit that says it; from a day on in whole hours. */
function thirdOf(duration: string): string {
  const minutes = seconds(duration) / 60 / 3;
  if (minutes % (24 * 60) === 0) return `${minutes / 60 / 24}d`;
  if (minutes % 60 === 0 || minutes > 24 * 60) return `${Math.floor(minutes / 60)}h`;
  return `${minutes}m`;
}
