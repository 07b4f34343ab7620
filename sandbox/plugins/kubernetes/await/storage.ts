import { equal, isObject } from "../../../../provider/protocol/values.ts";
import { field, text, type KubeObject } from "../object.ts";
import { READY, WAITING, type Readiness, type Scene } from "./readiness.ts";

const MINUTES = 60_000;

export const persistentVolume: Readiness = {
  onRead: false,
  timeout: 5 * MINUTES,
  check: (object) => ({ ready: ["Available", "Bound"].includes(text(object, "status", "phase")) }),
};

export const persistentVolumeClaim: Readiness = {
  onRead: false,
  polled: true,
  timeout: 5 * MINUTES,
  check: async (object, scene) => {
    const phase = text(object, "status", "phase");
    // A claim that was bound stays bound whatever is changed.
    if (scene.before && phase === "Bound") return READY;
    const late = (await bindingMode(object, scene)) === "WaitForFirstConsumer";
    return { ready: phase === (late ? "Pending" : "Bound") };
  },
};

async function bindingMode(claim: KubeObject, { api, discovery, say }: Scene): Promise<string> {
  const name = text(claim, "spec", "storageClassName");
  if (name === "") {
    say("warning", `no storage class found for "${text(claim, "metadata", "name")}"`);
    return "";
  }
  const path = await discovery.collection(
    { group: "storage.k8s.io", version: "v1", kind: "StorageClass" },
    "",
  );
  const found = await api.find(`${path}/${name}`);
  if (!found)
    say("warning", `getting storagclass "${name}": storageclasses.storage.k8s.io "${name}" not found`);
  return text(found, "volumeBindingMode");
}

export const resourceQuota: Readiness = {
  onRead: false,
  timeout: MINUTES,
  check: (object) => {
    const hard = field(object, "spec", "hard");
    return { ready: isObject(hard) && equal(hard, field(object, "status", "hard")) };
  },
};

/** Only a service account's token is made by a controller; every other Secret is ready at once. */
export const secret: Readiness = {
  onRead: false,
  timeout: 5000,
  check: (object) => {
    if (text(object, "type") !== "kubernetes.io/service-account-token") return READY;
    const data = field(object, "data");
    return isObject(data) && Object.keys(data).length > 0 ? READY : WAITING;
  },
};
