import type { CacheStatus, EdgeCache, EdgeConfig, Status } from "../../layout.ts";
import { age } from "./age.ts";
import { bytes } from "./bytes.ts";
import { Markup, markup } from "./markup.ts";
import { STYLE } from "./style.ts";

/**
 * The page in words. Private caches are not in it, not even in a sum.
 *
 * @param status null where it cannot be had just now, undefined where the mirror has never run.
 * @param now in milliseconds since 1970.
 */
export function pageText(config: EdgeConfig, status: Status | undefined | null, now: number): Markup {
  const shown = config.caches.filter(({ isPublic }) => isPublic);
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nix binary cache</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<h1>Nix binary cache</h1>
<p>${mirror(status, now)}</p>
${shown.length === 0 ? markup`<p>No cache is public here.</p>` : howTo(config, shown)}
${shown.map((cache) => about(config, cache, status?.caches[cache.name]))}
<h2>Private caches</h2>
<p>They need a token, as the password in the file that <code>netrc-file</code> names in nix.conf:</p>
<pre>machine ${new URL(config.url).hostname} password TOKEN</pre>
</body>
</html>
`;
}

function howTo(config: EdgeConfig, caches: readonly EdgeCache[]): Markup {
  return markup`<h2>Use it</h2>
<p>In <code>/etc/nix/nix.conf</code>:</p>
<pre>extra-substituters = ${caches.map((cache) => addressOf(config, cache)).join(" ")}
extra-trusted-public-keys = ${caches.map(({ publicKey }) => publicKey).join(" ")}</pre>`;
}

function about(config: EdgeConfig, cache: EdgeCache, status: CacheStatus | undefined): Markup {
  return markup`<h2>${cache.name}</h2>
<dl>
<dt>Substituter</dt><dd><code>${addressOf(config, cache)}</code></dd>
<dt>Public key</dt><dd><code>${cache.publicKey}</code></dd>
${status === undefined ? "" : markup`<dt>Holds</dt><dd>${status.paths} store paths, ${bytes(status.bytes)}</dd>`}
</dl>
`;
}

/** The host alone, where the cache is served at its root. */
function addressOf({ url, default: atRoot }: EdgeConfig, { name }: EdgeCache): string {
  return name === atRoot ? url : `${url}/${name}`;
}

function mirror(status: Status | undefined | null, now: number): Markup {
  if (status === null) return markup`How old the mirror is cannot be said just now.`;
  if (status === undefined) return markup`The mirror has not finished a run yet.`;
  const { finishedAt, ok } = status;
  const time = markup`<time datetime="${finishedAt}">${age((now - Date.parse(finishedAt)) / 1000)}</time>`;
  return ok
    ? markup`Mirrored ${time} ago.`
    : markup`The mirror&rsquo;s last run ended ${time} ago and did not bring everything.`;
}
