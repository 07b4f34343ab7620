import type { CheckRequest, CheckResult } from "../../../provider/protocol/provider.ts";
import { unplayed } from "../unplayed.ts";
import { adoptName, assignName, isGenerateName } from "./annotations.ts";
import { markSecrets } from "./checkpoint.ts";
import type { Cluster } from "./cluster.ts";
import { isCustomResourceDefinition } from "./kinds.ts";
import { annotation, field, kindOfType, namespace, setField, setNamespace, toObject } from "./object.ts";
import { normalize } from "./normalize.ts";
import { isObject } from "../../../provider/protocol/values.ts";

/** Makes the inputs whole: a name, a namespace, the form in which they are compared. */
export async function check(cluster: Cluster, request: CheckRequest): Promise<CheckResult> {
  const { urn, type, olds, news } = request;
  if (cluster.unreachable !== "" && cluster.skipUpdateUnreachable) {
    const what = "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...";
    cluster.engine.log("warning", urn, what);
    return { inputs: olds };
  }
  refuseUnplayed(type, news.kind);
  const kind = kindOfType(type);
  const inputs = normalize(toObject(news));
  if (inputs.metadata === undefined) inputs.metadata = {};
  if (annotation(inputs, "pulumi.com/autonamed") !== "") {
    const what = 'ignoring user-specified value for internal annotation "pulumi.com/autonamed"';
    cluster.engine.log("warning", urn, what);
  }
  if (Object.keys(olds).length > 0) adoptName(inputs, toObject(olds));
  else assignName(inputs, request);
  if (isGenerateName(inputs)) {
    throw new Error("the `.metadata.generateName` field is not supported in Server-Side Apply mode");
  }
  if (field(inputs, "metadata", "namespace") === undefined || namespace(inputs) === "") {
    // A kind that nobody knows is taken for one with namespaces until it is created.
    const namespaced = (await cluster.discovery.isNamespaced(kind)) ?? true;
    if (namespaced && isObject(inputs.metadata)) setDefaultNamespace(cluster, inputs);
  }
  if (isCustomResourceDefinition(inputs)) cluster.discovery.define(inputs);
  markSecrets(inputs, news);
  return { inputs };
}

function setDefaultNamespace(cluster: Cluster, inputs: Parameters<typeof setNamespace>[0]): void {
  if (field(inputs, "metadata", "namespace") !== undefined && namespace(inputs) === "") {
    // Neither missing nor text: it is not known yet, and will be the program's own.
    if (typeof field(inputs, "metadata", "namespace") !== "string") return;
  }
  setField(inputs, ["metadata", "namespace"], cluster.namespace);
}

function refuseUnplayed(type: string, kind: unknown): void {
  const token = type.split(":");
  const [, module = "", name = ""] = token;
  if (name.endsWith("List") && typeof kind === "string" && kind.endsWith("List")) {
    throw new Error(
      "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created " +
        "directly. Use the underlying resource type instead",
    );
  }
  const isPatch = name.endsWith("Patch") && `${String(kind)}Patch` === name;
  if (isPatch || /^(helm\.sh|yaml|kustomize)(\/|$)/.test(module)) {
    throw new Error(unplayed("resource type", type, "kubernetes"));
  }
}
