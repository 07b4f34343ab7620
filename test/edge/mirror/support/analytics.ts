import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A read as the Worker writes it down. */
export interface Point {
  cache: string;
  nar: string;
  /** In seconds since 1970. */
  at: number;
}

const QUERY =
  /^SELECT blob1 AS cache, blob2 AS nar, max\(timestamp\) AS last_read FROM (\w+)\s+WHERE timestamp >= toDateTime\((\d+)\) AND timestamp < toDateTime\((\d+)\)\s+GROUP BY cache, nar LIMIT (\d+) FORMAT JSON$/;

/** Stands in for the SQL API of Cloudflare's Workers Analytics Engine, and takes the mirror's one query. */
export class AnalyticsApi {
  readonly points: Point[] = [];
  /** The windows that were asked for, in seconds. */
  readonly asked: { from: number; to: number }[] = [];
  readonly token = "analytics-token-0123456789";
  readonly account = "0123456789abcdef0123456789abcdef";
  readonly dataset = "edge_reads";
  /** Answers in its stead where it is there. */
  fault: ((response: ServerResponse) => void) | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<AnalyticsApi> {
    const server = createServer();
    const api = new AnalyticsApi(server);
    server.on("request", (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (api.fault) api.fault(response);
        else
          api.#answer(
            `${request.method ?? ""} ${request.url ?? ""}`,
            request.headers.authorization,
            body,
            response,
          );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  get env(): Record<string, string> {
    return {
      ANALYTICS_URL: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`,
      ANALYTICS_ACCOUNT: this.account,
      ANALYTICS_TOKEN: this.token,
      ANALYTICS_DATASET: this.dataset,
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(call: string, authorization: string | undefined, body: string, response: ServerResponse): void {
    const [status, answer] = this.#judge(call, authorization, body);
    response.writeHead(status, { "content-type": "application/json" }).end(answer);
  }

  #judge(call: string, authorization: string | undefined, body: string): [number, string] {
    if (call !== `POST /client/v4/accounts/${this.account}/analytics_engine/sql`) return [404, ""];
    if (authorization !== `Bearer ${this.token}`) return [403, "no"];
    const [, dataset, from, to, limit] = QUERY.exec(body) ?? [];
    if (dataset === undefined) return [422, `cannot parse ${body}`];
    if (dataset !== this.dataset) return [422, `unable to find table "${dataset}"`];
    const window = { from: Number(from), to: Number(to) };
    this.asked.push(window);
    const latest = new Map<string, Point>();
    for (const point of this.points) {
      const name = JSON.stringify([point.cache, point.nar]);
      if (point.at < window.from || point.at >= window.to) continue;
      if ((latest.get(name)?.at ?? 0) < point.at) latest.set(name, point);
    }
    const data = [...latest.values()].slice(0, Number(limit)).map(({ cache, nar, at }) => ({
      cache,
      nar,
      last_read: new Date(at * 1000).toISOString().slice(0, 19).replace("T", " "),
    }));
    return [200, JSON.stringify({ meta: [], data, rows: data.length })];
  }
}
