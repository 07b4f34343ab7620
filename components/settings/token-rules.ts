import { seconds } from "./leaf.ts";
import { type Mistake, shown } from "./mistakes.ts";
import { coversPattern } from "../attic/names.ts";
import { repeated, type Rule } from "./rule.ts";
import type { DeclaredToken } from "./tokens.ts";

/** A rule that looks at one token at a time. */
const eachToken =
  (check: (token: DeclaredToken, where: string) => Mistake[]): Rule =>
  ({ tokens = [] }) =>
    tokens.flatMap((token, index) => check(token, `tokens[${index}]`));

const tokensHaveTheirOwnNames: Rule = ({ tokens = [] }) =>
  repeated(tokens, ({ name }) => name).map(({ name, at, first }) => ({
    key: `tokens[${at}].name`,
    found: shown(name),
    allowed: `a name of its own, because tokens[${first}] has this one`,
  }));

const permissionsStandOnce = eachToken(({ permissions }, where) => [
  ...repeated(permissions, ({ cache }) => cache).map(({ name, at, first }) => ({
    key: `${where}.permissions[${at}].cache`,
    found: shown(name),
    allowed: `each cache and pattern once, and this one stands in permissions[${first}]`,
  })),
  ...permissions.flatMap(({ allow }, index) =>
    repeated(allow, (permission) => permission).map(({ name, at, first }) => ({
      key: `${where}.permissions[${index}].allow[${at}]`,
      found: shown(name),
      allowed: `each permission once, and this one stands at [${first}]`,
    })),
  ),
]);

/** Attic takes the first pattern that matches; a name that is no pattern is looked up before all of them. */
const patternsCanApply = eachToken(({ permissions }, where) =>
  permissions.flatMap(({ cache }, index) => {
    if (!cache.includes("*")) return [];
    const first = permissions
      .slice(0, index)
      .findIndex((earlier) => earlier.cache !== cache && coversPattern(earlier.cache, cache));
    return first === -1
      ? []
      : [
          {
            key: `${where}.permissions[${index}].cache`,
            found: shown(cache),
            allowed: `a pattern that can match first: permissions[${first}] matches all that this one does, so it has to stand after it`,
          },
        ];
  }),
);

const renewalIsInTime = eachToken(({ validity, renewBefore }, where) =>
  renewBefore === undefined || seconds(renewBefore) < seconds(validity)
    ? []
    : [
        {
          key: `${where}.renewBefore`,
          found: shown(renewBefore),
          allowed: `less than ${where}.validity, which is ${validity}: else every \`pulumi up\` would renew it`,
        },
      ],
);

const tokensFitTheServer: Rule = (settings, given) => {
  if (settings.server === undefined) return [];
  const { tokenIssuer, tokenAudiences } = settings.server;
  return eachToken(({ issuer, audiences }, where) => [
    ...(tokenIssuer === undefined || issuer === undefined || issuer === tokenIssuer
      ? []
      : [
          {
            key: `${where}.issuer`,
            found: shown(issuer),
            allowed: `${shown(tokenIssuer)}, because server.tokenIssuer is the only one that the server takes; a token without an issuer gets it`,
          },
        ]),
    ...(audiences?.some((audience) => tokenAudiences?.includes(audience) ?? true) === false
      ? [
          {
            key: `${where}.audiences`,
            found: shown(audiences),
            allowed: `one of server.tokenAudiences at least, ${shown(tokenAudiences)}; a token without audiences gets them all`,
          },
        ]
      : []),
  ])(settings, given);
};

const NETRC_USES = ["pull", "push"] as const;

const netrcIsOfUse = eachToken(({ netrc, permissions }, where) =>
  netrc.length === 0 || permissions.some(({ allow }) => NETRC_USES.some((use) => allow.includes(use)))
    ? []
    : [
        {
          key: `${where}.netrc`,
          found: shown(netrc),
          allowed: "nothing, because the token allows neither pull nor push on any cache",
        },
      ],
);

/** A netrc has one entry for a host, so a second token would not be used. */
const namespacesHaveOneNetrc: Rule = ({ tokens = [] }) => {
  const entries = tokens.flatMap(({ netrc }, token) =>
    netrc.map((namespace, index) => ({ namespace, where: `tokens[${token}].netrc[${index}]` })),
  );
  return repeated(entries, ({ namespace }) => namespace).map(({ name, at, first }) => ({
    key: entries[at]?.where ?? "",
    found: shown(name),
    allowed: `another namespace, because ${entries[first]?.where} names this one and a netrc has one token for a server`,
  }));
};

export const tokenRules: readonly Rule[] = [
  tokensHaveTheirOwnNames,
  permissionsStandOnce,
  patternsCanApply,
  renewalIsInTime,
  tokensFitTheServer,
  netrcIsOfUse,
  namespacesHaveOneNetrc,
];
