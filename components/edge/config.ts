import pulumi from "@pulumi/pulumi";
import type { Caches } from "../attic/caches.ts";
import type { AtticServer } from "../server/index.ts";
import type { StackSettings } from "../settings/index.ts";
import type { EdgeSettings } from "../settings/edge.ts";
import type { EdgeConfig, TokenCheck } from "./layout.ts";

export interface EdgeConfigArgs {
  settings: StackSettings;
  edge: EdgeSettings;
  caches: Caches;
  server: AtticServer;
  /** The server's address for clients, with its slash at the end. */
  origin: string;
}

/** What the Worker is told: all of it public. */
export function edgeConfig({
  settings,
  edge,
  caches,
  server,
  origin,
}: EdgeConfigArgs): pulumi.Output<EdgeConfig> {
  const mirrored = edge.caches.flatMap((name) => {
    const declared = settings.caches.findIndex((cache) => cache.name === name);
    const cache = settings.caches[declared];
    const made = caches.caches[declared];
    if (cache === undefined || made === undefined) return [];
    const { storeDir, priority, public: isPublic } = cache;
    return [{ name, isPublic, publicKey: made.publicKey, storeDir, priority }];
  });
  return pulumi.all([pulumi.output(mirrored), tokenCheck(settings, server)]).apply(([list, token]) => ({
    url: `https://${edge.host}`,
    caches: list,
    ...(edge.default !== undefined && { default: edge.default }),
    token,
    ...(edge.pullThrough && { pullThrough: origin }),
  }));
}

function tokenCheck(
  { server: settings }: StackSettings,
  { signingKey }: AtticServer,
): pulumi.Output<TokenCheck> {
  const { publicKey } = signingKey;
  if (publicKey === undefined) return pulumi.output<TokenCheck>({ algorithm: "HS256" });
  const { tokenIssuer: issuer, tokenAudiences: audiences } = settings;
  return publicKey.apply((pem) => ({
    algorithm: "RS256" as const,
    publicKey: pem,
    ...(issuer !== undefined && { issuer }),
    ...(audiences !== undefined && audiences.length > 0 && { audiences }),
  }));
}
