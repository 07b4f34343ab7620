import { shown } from "./mistakes.ts";
import { repeated, type Rule } from "./rule.ts";

const cachesHaveTheirOwnNames: Rule = ({ caches = [] }) =>
  repeated(caches, ({ name }) => name).map(({ name, at, first }) => ({
    key: `caches[${at}].name`,
    found: shown(name),
    allowed: `a name of its own, because caches[${first}] has this one`,
  }));

const upstreamKeysStandOnce: Rule = ({ caches = [] }) =>
  caches.flatMap(({ upstreamCacheKeyNames }, index) =>
    repeated(upstreamCacheKeyNames, (name) => name).map(({ name, at, first }) => ({
      key: `caches[${index}].upstreamCacheKeyNames[${at}]`,
      found: shown(name),
      allowed: `each name once, and this one stands at [${first}]`,
    })),
  );

export const cacheRules: readonly Rule[] = [cachesHaveTheirOwnNames, upstreamKeysStandOnce];
