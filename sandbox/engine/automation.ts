import settings from "@pulumi/pulumi/runtime/settings.js";
import type { Sandbox } from "./sandbox.ts";

/** Readies this process for stacks of a sandbox: the Automation API looks for the CLI on the process' own PATH. */
export function prepareAutomation({ env }: Pick<Sandbox, "env">): void {
  process.env.PATH = env.PATH;
  ownConnections();
}

/**
 * Has the SDK make a connection of its own to each engine. By default a process keeps its gRPC connections by address,
 * broken ones too, and the SDK closes none. An engine that is given the port of an earlier one may be refused for that,
 * and the SDK takes it for the engine's end: the program registers nothing, no error is shown, and all that the stack
 * has is deleted. (SDK 3.270, automation/server.js and runtime/settings.js; seen with @grpc/grpc-js 1.14.)
 */
function ownConnections(): void {
  const { grpcClientOptions } = settings as unknown as { grpcClientOptions: Record<string, unknown> };
  grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;
}
