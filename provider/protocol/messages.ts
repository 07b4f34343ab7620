import pb from "@pulumi/pulumi/proto/provider_pb.js";
import type {
  CheckRequest,
  CheckResult,
  CreateRequest,
  DeleteRequest,
  DiffKind,
  DiffRequest,
  DiffResult,
  ReadRequest,
  UpdateRequest,
} from "./provider.ts";
import { marshal, unmarshal } from "./values.ts";

type Message<T extends abstract new () => unknown> = InstanceType<T>;

const KINDS = {
  add: pb.PropertyDiff.Kind.ADD,
  "add-replace": pb.PropertyDiff.Kind.ADD_REPLACE,
  delete: pb.PropertyDiff.Kind.DELETE,
  "delete-replace": pb.PropertyDiff.Kind.DELETE_REPLACE,
  update: pb.PropertyDiff.Kind.UPDATE,
  "update-replace": pb.PropertyDiff.Kind.UPDATE_REPLACE,
} satisfies Record<DiffKind, number>;

function subject(urn: string): { urn: string; type: string } {
  return { urn, type: typeOf(urn) };
}

/** The type in a URN, without those of its parents: `urn:pulumi:stack::project::parent$type::name`. */
export function typeOf(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.slice(qualified.lastIndexOf("$") + 1);
}

/** The name in a URN. It may hold `::` itself. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

export function toCheck(request: Message<typeof pb.CheckRequest>): CheckRequest {
  const autonaming = request.getAutonaming();
  return {
    ...subject(request.getUrn()),
    olds: unmarshal(request.getOlds()),
    news: unmarshal(request.getNews()),
    randomSeed: request.getRandomseed_asU8(),
    autonaming:
      autonaming === undefined
        ? undefined
        : autonaming.getMode() === pb.CheckRequest.AutonamingOptions.Mode.DISABLE
          ? "disabled"
          : { proposed: autonaming.getProposedName() },
  };
}

export function fromCheck(result: CheckResult): Message<typeof pb.CheckResponse> {
  const response = new pb.CheckResponse().setInputs(marshal(result.inputs));
  for (const { property, reason } of result.failures ?? []) {
    response.addFailures(new pb.CheckFailure().setProperty(property).setReason(reason));
  }
  return response;
}

export function toDiff(request: Message<typeof pb.DiffRequest>): DiffRequest {
  return {
    ...subject(request.getUrn()),
    id: request.getId(),
    olds: unmarshal(request.getOlds()),
    oldInputs: unmarshal(request.getOldInputs()),
    news: unmarshal(request.getNews()),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

export function fromDiff(result: DiffResult): Message<typeof pb.DiffResponse> {
  const response = new pb.DiffResponse();
  response.setChanges(
    result.changes ? pb.DiffResponse.DiffChanges.DIFF_SOME : pb.DiffResponse.DiffChanges.DIFF_NONE,
  );
  response.setReplacesList(result.replaces);
  response.setDiffsList(result.diffs ?? []);
  response.setDeletebeforereplace(result.deleteBeforeReplace);
  if (result.detailed) {
    response.setHasdetaileddiff(true);
    for (const [path, { kind, input }] of result.detailed) {
      response.getDetaileddiffMap().set(path, new pb.PropertyDiff().setKind(KINDS[kind]).setInputdiff(input));
    }
  }
  return response;
}

export function toCreate(request: Message<typeof pb.CreateRequest>): CreateRequest {
  return {
    ...subject(request.getUrn()),
    inputs: unmarshal(request.getProperties()),
    timeout: request.getTimeout(),
    preview: request.getPreview(),
  };
}

export function toRead(request: Message<typeof pb.ReadRequest>): ReadRequest {
  return {
    ...subject(request.getUrn()),
    id: request.getId(),
    outputs: unmarshal(request.getProperties()),
    inputs: unmarshal(request.getInputs()),
  };
}

export function toUpdate(request: Message<typeof pb.UpdateRequest>): UpdateRequest {
  return {
    ...subject(request.getUrn()),
    id: request.getId(),
    olds: unmarshal(request.getOlds()),
    news: unmarshal(request.getNews()),
    timeout: request.getTimeout(),
    ignoreChanges: request.getIgnorechangesList(),
    preview: request.getPreview(),
  };
}

export function toDelete(request: Message<typeof pb.DeleteRequest>): DeleteRequest {
  return {
    ...subject(request.getUrn()),
    id: request.getId(),
    outputs: unmarshal(request.getProperties()),
    timeout: request.getTimeout(),
  };
}
