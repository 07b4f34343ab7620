import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Server, type ServerWritableStream } from "@grpc/grpc-js";
import rpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/language_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import manifest from "@pulumi/pulumi/package.json" with { type: "json" };
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { answer, listen } from "../../../provider/protocol/grpc.ts";

/**
 * The Node language host, for a sandbox whose CLI was built and so came alone: by it the plain CLI runs the
 * same program as the Automation API. It starts what the SDK has for that, `@pulumi/pulumi/cmd/run`, with the
 * arguments that the official host gives it, and `run-policy-pack` for a policy pack. What only code generation
 * needs is not played.
 */

/** With this status the program says that it has printed its error itself (pulumi sdk/nodejs/cmd/run). */
const BAIL = 32;

let engine = process.argv.slice(2).findLast((word) => !word.startsWith("-")) ?? "";

type RunRequest = InstanceType<typeof pb.RunRequest>;

async function run(request: RunRequest): Promise<InstanceType<typeof pb.RunResponse>> {
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() ?? request.getPwd();
  const flags = {
    monitor: request.getMonitorAddress(),
    engine,
    project: request.getProject(),
    stack: request.getStack(),
    organization: request.getOrganization(),
    pwd: directory,
    "root-directory": info?.getRootDirectory() ?? directory,
    "dry-run": String(request.getDryrun()),
    parallel: String(request.getParallel()),
  };
  const script = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const child = spawn(
    "node",
    [
      ...nodeArguments(info),
      script,
      ...Object.entries(flags).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value])),
      info?.getEntryPoint() ?? request.getProgram(),
      ...request.getArgsList(),
    ],
    {
      cwd: directory,
      // What the program prints is for the person; the engine shows what its language host prints.
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      },
    },
  );
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("exit", resolve).on("error", reject);
  });
  const response = new pb.RunResponse();
  if (code === BAIL) response.setBail(true);
  else if (code !== 0) response.setError(`Program exited with status ${code ?? "of a signal"}`);
  return response;
}

/** `runtime.options.nodeargs` of Pulumi.yaml: options for Node itself. */
function nodeArguments(info: InstanceType<typeof pb.ProgramInfo> | undefined): string[] {
  const { nodeargs } = (info?.getOptions()?.toJavaScript() ?? {}) as { nodeargs?: string };
  return nodeargs === undefined ? [] : nodeargs.trim().split(/\s+/);
}

type PluginCall = ServerWritableStream<
  InstanceType<typeof pb.RunPluginRequest>,
  InstanceType<typeof pb.RunPluginResponse>
>;

/** Runs a plugin that is written for Node: here, a policy pack. What it prints first is its port. */
function runPlugin(call: PluginCall): void {
  const request = call.request;
  const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
  const isPack = request.getKind() === "analyzer";
  const script = createRequire(join(directory, "package.json")).resolve(
    `@pulumi/pulumi/cmd/${isPack ? "run-policy-pack" : "run-plugin"}`,
  );
  const child = spawn("node", [script, ...request.getArgsList(), directory], {
    // A pack's version is read from the package.json of its working folder.
    cwd: isPack ? directory : request.getPwd(),
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      ...Object.fromEntries(
        request.getEnvList().map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]),
      ),
    },
  });
  child.stdout.on("data", (data: Buffer) => call.write(new pb.RunPluginResponse().setStdout(data)));
  child.stderr.on("data", (data: Buffer) => call.write(new pb.RunPluginResponse().setStderr(data)));
  child.on("close", (code) => {
    call.write(new pb.RunPluginResponse().setExitcode(code ?? 1));
    call.end();
  });
  call.on("cancelled", () => child.kill());
}

const server = new Server();
server.addService(rpc.LanguageRuntimeService, {
  handshake: answer((request: InstanceType<typeof pb.LanguageHandshakeRequest>) => {
    engine = request.getEngineAddress();
    return new pb.LanguageHandshakeResponse();
  }),
  getPluginInfo: answer(() => new pluginPb.PluginInfo().setVersion(manifest.version)),
  // The plugins stand on PATH; the engine asks for those that the program uses as it goes.
  getRequiredPackages: answer(() => new pb.GetRequiredPackagesResponse()),
  getRequiredPlugins: answer(() => new pb.GetRequiredPluginsResponse()),
  runtimeOptionsPrompts: answer(() => new pb.RuntimeOptionsResponse()),
  getProgramDependencies: answer(() => new pb.GetProgramDependenciesResponse()),
  about: answer(() => {
    const response = new pb.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    return response;
  }),
  run: answer(run),
  runPlugin,
  cancel: answer(() => new emptyPb.Empty()),
});
listen(server);
