import assert from "node:assert/strict";
import { content, type Content, parse } from "./stack-files.ts";

/** What is wrong, the key that is named, what was found, and a part of what is allowed. */
export type WrongValue = [over: Content, key: string, found: string, allowed: string];

/** What a refusal says of the forms that many keys have. */
export const ALLOWED = {
  host: "a full host name in lower case, such as cache.example.com",
  label: "at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
  namespace:
    "at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit, and neither default nor kube-...",
  name: "the name of a Kubernetes object: a-z, 0-9, - and .",
  size: "a whole number with Mi, Gi or Ti, such as 50Gi",
  cpu: 'cores as a text, such as "500m" or "2"',
  image:
    "registry/repository with a tag, a digest or both, such as docker.io/library/postgres:18.4@sha256:...",
  bucket: "a bucket's name: 3 to 63 of a-z, 0-9, . and -",
  url: "an http:// or https:// address without a path, such as https://s3.example.com",
  certificates: "one or more certificates in PEM form",
} as const;

/** Declares a test for each case: it gives one mistake and no more. */
export function refusesEach(cases: Readonly<Record<string, WrongValue>>): void {
  for (const [what, [over, key, found, allowed]] of Object.entries(cases)) {
    it(`is refused as one mistake with its key: ${what}`, () => {
      const { mistakes } = parse(content(over));
      assert.equal(mistakes?.length, 1, JSON.stringify(mistakes));
      assert.deepEqual({ key: mistakes[0]!.key, found: mistakes[0]!.found }, { key, found });
      assert.ok(mistakes[0]!.allowed.includes(allowed), mistakes[0]!.allowed);
    });
  }
}
