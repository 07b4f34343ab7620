import { keepWhole } from "../edge-cache.ts";
import type { Download } from "./ask-origin.ts";

/**
 * Keeps a download in Cloudflare's cache.
 *
 * @throws Fault where the server has broken off. What else goes wrong is the cache's own, and nobody's loss.
 */
export async function keepPulled(
  address: string,
  { body, received, broken }: Download,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const size = () => (broken() === undefined ? received() : undefined);
  await keepWhole(address, body, headers, size).catch(() => undefined);
  const fault = broken();
  if (fault !== undefined) throw fault;
}
