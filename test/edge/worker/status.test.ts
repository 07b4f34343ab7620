import assert from "node:assert/strict";
import { it } from "mocha";
import { STATUS_KEY } from "../../../components/edge/layout.ts";
import { basic, bearer, CONFIG, statusOf, tokenFor } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

suite("the mirror's status", (edge) => {
  const get = async (headers: Record<string, string> = {}) => {
    const answer = await edge().fetch("/status", { headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const shown = async (headers?: Record<string, string>) =>
    JSON.parse((await get(headers)).text) as ReturnType<typeof statusOf>;

  it("says that the mirror has never run where it has not", async () => {
    const { status, text } = await get();
    assert.deepEqual([status, text], [404, "The mirror has not finished a run yet.\n"]);
  });

  it("is what the mirror has left, without private caches, and those that are not served", async () => {
    await edge().put({ [STATUS_KEY]: JSON.stringify({ ...statusOf(), later: "team" }) });
    const { status, headers, text } = await get();
    const { main } = statusOf().caches;
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(JSON.parse(text), { ...statusOf(), caches: { main } });
    assert.doesNotMatch(text, /team|gone/);
  });

  it("has a private cache in it for who may pull from that", async () => {
    const names = async (caches: unknown) => Object.keys((await shown(bearer(tokenFor(caches)))).caches);
    assert.deepEqual(await names({ team: { r: 1 } }), ["main", "team"]);
    assert.deepEqual(await names({ "*": { r: 1 } }), ["main", "team", "team-2"]);
    assert.deepEqual(await names({ "*": { r: 1 }, team: {} }), ["main", "team-2"]);
    assert.deepEqual(await names({ team: { w: 1 } }), ["main"]);
    assert.deepEqual(Object.keys((await shown(basic("wrong"))).caches), ["main"]);
  });

  it("is refused, and no guess, where it is not what a mirror leaves", async () => {
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      "1",
      '{"version":2}',
      '{"version":1,"finishedAt":"x","caches":{}}',
    ]) {
      await edge().put({ [STATUS_KEY]: text });
      const answer = await get();
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "10"], text);
      assert.equal((await edge().fetch("/")).status, 200);
    }
  });
});

suite(
  "the status where tokens cannot be checked",
  (edge) => {
    it("has no private cache in it for anybody", async () => {
      await edge().put({ [STATUS_KEY]: JSON.stringify(statusOf()) });
      const answer = await edge().fetch("/status", { headers: bearer(tokenFor({ "*": { r: 1 } })) });
      assert.deepEqual(Object.keys(((await answer.json()) as ReturnType<typeof statusOf>).caches), ["main"]);
    });
  },
  { config: { ...CONFIG, token: { algorithm: "HS256" } } },
);
