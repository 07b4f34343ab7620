import type { AnalyticsEngineDataset, ExecutionContext, R2Bucket } from "@cloudflare/workers-types";
import type { Edge } from "./config.ts";
import type { Request } from "./platform.ts";

/** What the Worker is bound to. Of the bucket it knows only what reads: nothing here can write. */
export interface Environment {
  BUCKET: Bucket;
  /** An EdgeConfig: itself where the binding is of JSON, or as text. */
  CONFIG: unknown;
  /** Where reads are noted, so that the mirror can tell the server of them. */
  READS?: Pick<AnalyticsEngineDataset, "writeDataPoint">;
}

export type Bucket = Pick<R2Bucket, "get" | "head">;

/** A request, and all that it takes to answer it. */
export interface Call {
  request: Request;
  edge: Edge;
  environment: Environment;
  context: Pick<ExecutionContext, "waitUntil">;
}
