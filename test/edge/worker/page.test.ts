import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { it } from "mocha";
import { STATUS_KEY } from "../../../components/edge/layout.ts";
import { bearer, CONFIG, edgeCache, statusOf, tokenFor } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

suite("the page for people", (edge) => {
  const page = async (headers: Record<string, string> = {}) => {
    const answer = await edge().fetch("/", { headers });
    assert.equal(answer.status, 200);
    return { headers: answer.headers, text: await answer.text() };
  };
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

  it("gives the lines for nix.conf, the default cache by the host alone", async () => {
    const { headers, text } = await page();
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(headers.get("cache-control"), "public, max-age=60");
    const [, lines] = /<pre>(extra-[^<]*)<\/pre>/.exec(text) ?? [];
    const key = `${"A".repeat(43)}=`;
    assert.equal(
      lines,
      "extra-substituters = https://cache.example.com https://cache.example.com/nar\n" +
        `extra-trusted-public-keys = main-1:${key} nar-1:${key}`,
    );
  });

  it("names no private cache, whatever the token", async () => {
    await edge().put({ [STATUS_KEY]: JSON.stringify(statusOf()) });
    const { text } = await page();
    assert.doesNotMatch(text, /team|gone|3434343|5656565|7878787/);
    assert.equal((await page(bearer(tokenFor({ "*": { r: 1 } })))).text, text);
  });

  it("says how old the mirror is, and what it holds", async () => {
    for (const [seconds, text] of [
      ...([
        [0, "less than a minute"],
        [61, "1 minute"],
        [7 * 60 + 5, "7 minutes"],
      ] as const),
      ...([
        [3700, "1 hour"],
        [86_300, "23 hours"],
        [86_500, "1 day"],
        [9 * 86_400 + 5, "9 days"],
      ] as const),
    ]) {
      const finishedAt = ago(seconds);
      await edge().put({ [STATUS_KEY]: JSON.stringify(statusOf({ finishedAt })) });
      const line = `Mirrored <time datetime="${finishedAt}">${text}</time> ago.`;
      assert.ok((await page()).text.includes(line), line);
    }
    assert.match((await page()).text, /12 store paths, 18 MB/);
  });

  it("says that the last run did not bring everything, and that there was none", async () => {
    await edge().put({ [STATUS_KEY]: JSON.stringify(statusOf({ ok: false, finishedAt: ago(130) })) });
    assert.match(
      (await page()).text,
      /last run ended <time [^>]*>2 minutes<\/time> ago and did not bring everything/,
    );
    await edge().delete(STATUS_KEY);
    assert.match((await page()).text, /The mirror has not finished a run yet\./);
  });

  it("stands by itself: one style, which its policy names, and nothing to fetch, run or frame", async () => {
    const { headers, text } = await page();
    const styles = [...text.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style]) => style ?? "");
    assert.equal(styles.length, 1);
    const hash = createHash("sha256")
      .update(styles[0] ?? "")
      .digest("base64");
    assert.equal(
      headers.get("content-security-policy"),
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    assert.doesNotMatch(text, /<(script|link|img|iframe|form)|\son\w+=|style=|src=|@import|url\(/);
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.match(text, /<meta name="viewport" content="width=device-width, initial-scale=1">/);
  });
});

suite(
  "the page of names that look like markup",
  (edge) => {
    it("has them as text", async () => {
      await edge().put({
        [STATUS_KEY]: JSON.stringify(
          statusOf({
            finishedAt: "2026-11-01T10:00:00Z",
            caches: { main: { paths: "<script>alert(1)</script>" } as never },
          }),
        ),
      });
      const text = await (await edge().fetch("/")).text();
      assert.doesNotMatch(text, /<script|<b>|"x"/);
      assert.match(text, /&#60;script&#62;alert\(1\)/);
    });
  },
  { config: { ...CONFIG, caches: [{ ...edgeCache("main", true) }] } },
);

suite(
  "the page where no cache is public",
  (edge) => {
    it("says so, and how a token is given", async () => {
      const text = await (await edge().fetch("/")).text();
      assert.match(text, /No cache is public here\./);
      assert.match(text, /machine cache\.example\.com password TOKEN/);
      assert.doesNotMatch(text, /team|extra-substituters/);
    });
  },
  { config: { ...CONFIG, default: "team", caches: [edgeCache("team", false)] } },
);
