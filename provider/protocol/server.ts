import { flushCompileCache } from "node:module";
import { Metadata, Server } from "@grpc/grpc-js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import rpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import { Engine } from "./engine.ts";
import * as grpc from "./grpc.ts";
import * as convert from "./messages.ts";
import { InitFailed, type Provider } from "./provider.ts";
import { marshal, unmarshal } from "./values.ts";

/**
 * Serves a provider to the engine that started this process: prints the port that it listens on, as the
 * engine expects, and answers until it is killed.
 */
export function serve(provider: Provider): void {
  let engine: Engine | undefined;
  const server = new Server({
    // A Secret or a ConfigMap may hold 1 MiB, and the engine sends it twice.
    "grpc.max_receive_message_length": 400 * 1024 * 1024,
    "grpc.max_send_message_length": 400 * 1024 * 1024,
  });
  const answer = <Request, Response>(handle: (request: Request) => Promise<Response> | Response) =>
    grpc.answer(async (request: Request) => {
      try {
        return await handle(request);
      } finally {
        await engine?.heard();
      }
    }, toStatus);
  const connect = (address: string | undefined): void => {
    if (address) engine = new Engine(address);
  };
  connect(process.argv[2]);

  const unknown = (what: string, token: string) =>
    provider.unknown?.(what, token) ?? `the provider ${provider.name} has no ${what} ${token}`;
  const empty = new emptyPb.Empty();
  server.addService(rpc.ResourceProviderService, {
    handshake: answer((request: InstanceType<typeof pb.ProviderHandshakeRequest>) => {
      connect(request.getEngineAddress());
      const response = new pb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: answer((request: InstanceType<typeof pluginPb.PluginAttach>) => {
      connect(request.getAddress());
      return empty;
    }),
    getPluginInfo: answer(() => new pluginPb.PluginInfo().setVersion(provider.version)),
    getSchema: answer(() =>
      new pb.GetSchemaResponse().setSchema(
        JSON.stringify({ name: provider.name, version: provider.version, ...provider.schema }),
      ),
    ),
    getMapping: answer(() => new pb.GetMappingResponse()),
    getMappings: answer(() => new pb.GetMappingsResponse()),
    checkConfig: answer((request: InstanceType<typeof pb.CheckRequest>) => {
      const check = convert.toCheck(request);
      return convert.fromCheck(provider.checkConfig?.(check) ?? { inputs: check.news });
    }),
    diffConfig: answer((request: InstanceType<typeof pb.DiffRequest>) => {
      const diff = convert.toDiff(request);
      return provider.diffConfig ? convert.fromDiff(provider.diffConfig(diff)) : new pb.DiffResponse();
    }),
    configure: answer(async (request: InstanceType<typeof pb.ConfigureRequest>) => {
      if (!engine) throw new Error("the engine gave no address to log to");
      await provider.configure?.(new Map(request.getVariablesMap().entries()), engine);
      const response = new pb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    invoke: answer(async (request: InstanceType<typeof pb.InvokeRequest>) => {
      const [token, args] = [request.getTok(), unmarshal(request.getArgs())];
      const answered = provider.invoke?.({ token, args });
      if (answered === undefined) throw new Error(unknown("function", token));
      return new pb.InvokeResponse().setReturn(marshal(await answered));
    }),
    construct: answer((request: InstanceType<typeof pb.ConstructRequest>) => {
      throw new Error(unknown("component", request.getType()));
    }),
    check: answer(async (request: InstanceType<typeof pb.CheckRequest>) =>
      convert.fromCheck(await provider.check(convert.toCheck(request))),
    ),
    diff: answer(async (request: InstanceType<typeof pb.DiffRequest>) =>
      convert.fromDiff(await provider.diff(convert.toDiff(request))),
    ),
    create: answer(async (request: InstanceType<typeof pb.CreateRequest>) => {
      const state = await provider.create(convert.toCreate(request));
      return new pb.CreateResponse().setId(state.id).setProperties(marshal(state.outputs));
    }),
    read: answer(async (request: InstanceType<typeof pb.ReadRequest>) => {
      const state = await provider.read(convert.toRead(request));
      const response = new pb.ReadResponse().setId(state.id);
      if (state.id === "") return response;
      return response.setProperties(marshal(state.outputs)).setInputs(marshal(state.inputs ?? {}));
    }),
    update: answer(async (request: InstanceType<typeof pb.UpdateRequest>) =>
      new pb.UpdateResponse().setProperties(marshal(await provider.update(convert.toUpdate(request)))),
    ),
    delete: answer(async (request: InstanceType<typeof pb.DeleteRequest>) => {
      await provider.delete(convert.toDelete(request));
      return empty;
    }),
    cancel: answer(() => {
      provider.cancel?.();
      return empty;
    }),
  });
  grpc.listen(server);
  tick();
}

/**
 * Every second: ends this process when its parent changes, for an engine that was killed cannot end its plugins; and
 * writes what Node has compiled, where it was told to keep that (NODE_COMPILE_CACHE). By itself it would at its end,
 * and the engine kills its plugins.
 */
function tick(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
    flushCompileCache();
  }, 1000).unref();
}

function toStatus(error: unknown): grpc.Status {
  const plain = grpc.plainStatus(error);
  if (!(error instanceof InitFailed)) return plain;
  const failure = new pb.ErrorResourceInitFailed();
  failure.setId(error.state.id);
  failure.setProperties(marshal(error.state.outputs));
  if (error.state.inputs) failure.setInputs(marshal(error.state.inputs));
  failure.setReasonsList(error.reasons);
  const any = new anyPb.Any();
  any.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rich = new statusPb.Status();
  rich.setCode(plain.code);
  rich.setMessage(plain.details);
  rich.addDetails(any);
  // gRPC's Node library knows no structured errors: they travel in this header.
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  return { ...plain, metadata };
}
