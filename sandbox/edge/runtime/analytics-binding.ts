/**
 * The binding of Workers Analytics Engine, as a module of workerd's own sort: a Worker writes a point and goes on, and
 * the points are handed on together a moment later, so that a Worker is as fast with the binding as without.
 */
export const ANALYTICS_BINDING = `
import workers from "cloudflare-internal:workers";

const MOMENT = 100;

export default function ({ account, dataset, POINTS }) {
  let waiting;
  const handOn = async () => {
    await new Promise((resolve) => setTimeout(resolve, MOMENT));
    const body = JSON.stringify({ account, dataset, points: waiting });
    waiting = undefined;
    await POINTS.fetch("http://points/", { method: "POST", body });
  };
  const plain = (value) => (value === null || typeof value === "string" ? value : new TextDecoder().decode(value));
  return {
    writeDataPoint({ indexes = [], blobs = [], doubles = [] } = {}) {
      const point = { time: Date.now(), indexes: indexes.map(plain), blobs: blobs.map(plain), doubles };
      if (waiting !== undefined) return void waiting.push(point);
      waiting = [point];
      workers.waitUntil(handOn());
    },
  };
}
`;
