import { z } from "zod";
import { isCacheName, NAME_RULE } from "../attic/names.ts";
import { choice, flag, hostname, image, interval, key, resources, section, wholeNumber } from "./leaf.ts";

/** The official image. The digest is that of the multi-platform index of the tag. */
export const NODE_IMAGE =
  "docker.io/library/node:24-slim@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df";

const IDENTIFIER = /^[0-9a-f]{32}$/;
/** The five fields of cron, as far as one can tell without a calendar. */
const SCHEDULE = /^([0-9*,/-]+ ){2}([0-9*,/?L-]+ )([0-9A-Z*,/-]+ )[0-9A-Z*,/?-]+$/;

const identifier = (description: string): z.ZodString =>
  key(z.string().regex(IDENTIFIER), description, "32 of 0-9 and a-f, as Cloudflare's dashboard shows it");

const cacheName = (description: string): z.ZodString =>
  key(z.string().refine(isCacheName), description, `a text: ${NAME_RULE}`);

/** The region that a bucket is near to. It holds for a bucket that is new. */
const LOCATIONS = ["apac", "eeur", "enam", "oc", "weur", "wnam"] as const;

const mirrorSection = section("The job that copies what is in the caches to the edge.", {
  schedule: key(
    z.string().regex(SCHEDULE),
    "When it runs. A run that has not ended is not run over.",
    'the five fields of cron, such as "*/15 * * * *"',
  ).default("*/15 * * * *"),
  concurrency: wholeNumber("How many store paths it copies at once.", 1, 64).default(8),
  grace: interval(
    "How long a NAR stays that no path names any more, for clients that have its narinfo still.",
  ).default("1d"),
  image: image("An image with Node 24 or later as `node`.").default(NODE_IMAGE),
  resources: resources({ cpu: "100m", memory: "256Mi", memoryLimit: "512Mi" }),
});

export const edgeSection = section(
  "A read-only edge on Cloudflare: finished narinfo and NAR files in R2, served by a Worker.",
  {
    account: identifier("Identifier of the Cloudflare account."),
    zone: identifier("Identifier of the zone that the host name is in."),
    host: hostname("The edge's host name, other than the gateway's."),
    caches: key(
      z.array(cacheName("A cache of the stack.")).min(1).max(100),
      "The caches that are mirrored.",
      "a list of 1 to 100 names of caches that the stack declares",
    ),
    default: cacheName(
      "The cache that is served at the host's root too, so that the host alone is a substituter.",
    ).optional(),
    location: choice("Where the bucket is to be near to.", LOCATIONS).optional(),
    countReads: flag(
      "Let a pull at the edge count as use: the Worker notes which paths are read, and the mirror tells Attic, which otherwise collects what is popular only at the edge.",
    ).default(true),
    pullThrough: flag(
      "Fetch what the mirror has not brought yet from the gateway, where the cache is public.",
    ).default(false),
    mirror: mirrorSection.prefault({}),
  },
);

export type EdgeSettings = z.infer<typeof edgeSection>;
