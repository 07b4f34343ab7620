import type { GatewaySettings } from "../settings/gateway.ts";
import { bytes, seconds } from "../settings/leaf.ts";

/** The NAR that every way in should take: 10 GB. */
const LARGE_NAR = 10e9;
/** What it is to come in by, in bytes a second: 25 Mbit/s, a modest uplink. */
const UPLINK = 25e6 / 8;

/** Largest request that Cloudflare's proxy passes on, in MB, by plan. */
const CLOUDFLARE_LIMITS = {
  "cloudflare-free": 100,
  "cloudflare-pro": 100,
  "cloudflare-business": 200,
  "cloudflare-enterprise": 500,
} as const;

/** What of the way in cannot take a large NAR: each a sentence with the reason and the way out. */
export function gatewayWarnings(settings: GatewaySettings): string[] {
  const warnings: string[] = [];
  const { proxiedBy, host } = settings;
  if (proxiedBy !== "nothing") {
    warnings.push(
      `${host} is proxied by Cloudflare, which refuses requests over ${CLOUDFLARE_LIMITS[proxiedBy]} MB on this plan: larger NARs cannot be pushed (413). Push through a DNS-only name, and set gateway.host to it.`,
    );
  }
  if (settings.kind === "nginx" && settings.bodyLimit !== "none" && bytes(settings.bodyLimit) < LARGE_NAR) {
    warnings.push(
      `gateway.bodyLimit is ${settings.bodyLimit}: larger NARs cannot be pushed (413). Set it to none, or above 10Gi.`,
    );
  }
  if (settings.kind === "traefik" && settings.readTimeout !== "none") {
    const limit = seconds(settings.readTimeout);
    const needed = Math.ceil(LARGE_NAR / UPLINK / 60) * 60;
    if (limit < needed) {
      warnings.push(
        `Traefik ends every upload on the entry point ${settings.entryPoint} after ${settings.readTimeout}, and a 10 GB NAR takes ${needed / 60} minutes at 25 Mbit/s. Set transport.respondingTimeouts.readTimeout of that entry point to 0 in Traefik's own configuration, then gateway.readTimeout to none here.`,
      );
    }
  }
  return warnings;
}
