import { SqlError } from "../analytics/sql-error.ts";
import { runSql } from "../analytics/run.ts";
import { type Call, param } from "./call.ts";

/** Workers Analytics Engine's SQL API: the query is the body, and the answer stands in no envelope. */
export async function querySql(call: Call): Promise<Response> {
  const sql = call.method === "GET" ? (call.query.get("query") ?? "") : call.body.toString();
  try {
    return await runSql(sql, (dataset) => call.edge.points.read(param(call, "account"), dataset));
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return new Response(`${error.message}\n`, { status: 422, headers: { "content-type": "text/plain" } });
  }
}
