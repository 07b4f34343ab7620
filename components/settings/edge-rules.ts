import type { CacheSettings } from "./caches.ts";
import type { EdgeSettings } from "./edge.ts";
import { type Mistake, nearest, shown } from "./mistakes.ts";
import { repeated, type Rule } from "./rule.ts";
import type { ServerSettings } from "./server.ts";

const edgeHasItsOwnHost: Rule = ({ edge, gateway, storage }) => {
  const taken = [
    ["gateway.host", gateway?.host],
    ["storage.host", storage && "host" in storage ? storage.host : undefined],
  ].find(([, host]) => host !== undefined && host === edge?.host);
  return taken === undefined
    ? []
    : [{ key: "edge.host", found: shown(edge?.host), allowed: `another name than ${taken[0]}` }];
};

const mirroredOnce: Rule = ({ edge }) =>
  repeated(edge?.caches ?? [], (name) => name).map(({ name, at, first }) => ({
    key: `edge.caches[${at}]`,
    found: shown(name),
    allowed: `each cache once, and this one stands in edge.caches[${first}]`,
  }));

const defaultIsMirrored: Rule = ({ edge }) =>
  edge?.default === undefined || edge.caches.includes(edge.default)
    ? []
    : [
        {
          key: "edge.default",
          found: shown(edge.default),
          allowed: `one of edge.caches: ${edge.caches.join(", ")}`,
        },
      ];

export const edgeRules: readonly Rule[] = [edgeHasItsOwnHost, mirroredOnce, defaultIsMirrored];

/** What can only be said once all caches are known, with those of a file that the settings name. */
export function edgeMistakes(
  edge: EdgeSettings,
  caches: readonly Pick<CacheSettings, "name" | "public">[],
  algorithm: ServerSettings["signingAlgorithm"] | undefined,
): Mistake[] {
  return edge.caches.flatMap((name, index) => {
    const key = `edge.caches[${index}]`;
    const cache = caches.find((declared) => declared.name === name);
    if (cache === undefined) {
      const near = nearest(
        name,
        caches.map((declared) => declared.name),
      );
      const all = caches.map((declared) => declared.name).join(", ") || "none yet";
      const allowed = `the name of a cache of the stack: ${all}${near === undefined ? "" : `; was ${near} meant?`}`;
      return [{ key, found: shown(name), allowed }];
    }
    if (cache.public || algorithm !== "HS256") return [];
    return [
      {
        key,
        found: shown(name),
        allowed:
          "a public cache, because server.signingAlgorithm is HS256: who checks such a token can make one too, and the edge must not; choose RS256",
      },
    ];
  });
}
